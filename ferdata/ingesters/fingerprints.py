"""Comparing class counts with those of all datasets: copies with a wrong name or mixed-up codes.

The counts per class identify a dataset like a fingerprint. Some copies in circulation are named
after one dataset and contain another; others have label codes in another dataset's order. Both
load without an error and train to plausible, wrong numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ferdata.core.labels import CANONICAL
from ferdata.ingesters.catalog import all_ingesters
from ferdata.ingesters.info import ALL_CLASSES, PUBLISHED, DatasetInfo
from ferdata.ingesters.lookup import dataset_info, dataset_names

TOLERANCE = 0.005
"""Rows that may differ, as a fraction of all: many copies lack a few images."""

MIN_ROWS = 200
"""Counts of fewer rows say nothing."""

_Vector = npt.NDArray[np.int64]

_OTHER_NAMES = {"fer+": "ferplus", "ck+": "ckplus", "raf": "rafdb"}
"""Parts of folder names that stand for a dataset, besides its name here."""


def suspicions(
    name: str, counts: Mapping[str, Mapping[str, int]], folder: Path | None = None
) -> list[str]:
    """Report reasons to doubt that a copy is the dataset that it was read as.

    Args:
        name: The dataset that it was read as.
        counts: Rows by split and class, as read.
        folder: Its folder, which may be named after another dataset.

    Returns:
        One sentence each; empty if nothing is suspicious.
    """
    found = []
    for split, by_class in (*counts.items(), ("all splits", _total(counts))):
        vector = _telling(by_class)
        if vector is not None and (sentence := _suspicion(name, vector)):
            found.append(f"{split}: {sentence}")
    if len(counts) == 1 and len(found) > 1:
        found.pop()  # the total of a single split repeats it
    other = _named_after(folder) if folder is not None else None
    if other and other != name and not {other, name} <= {"fer2013", "ferplus"}:
        found.append(f"the folder is named after {other}, its files and labels are {name}'s")
    return found


def mixed_up_labels(name: str, counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Report splits whose class counts are a known copy's under other names.

    Args:
        name: The dataset that was read.
        counts: Rows by split and class, as read.

    Returns:
        One sentence each; the labels of such a copy are wrong.
    """
    found = []
    for split, by_class in (*counts.items(), ("all splits", _total(counts))):
        vector = _telling(by_class)
        known = vector is None or _is_known(vector, name)
        if not known and vector is not None and (sentence := _mixed_up(name, vector)):
            found.append(f"{split}: {sentence}")
    return found


def resembles(counts: Mapping[str, int], name: str) -> bool:
    """Say whether counts by class are, but for a few images, those of a dataset or a part of it."""
    vector = _telling(counts)
    return vector is not None and any(
        owner == name and _alike(vector, known) for owner, _, known in known_prints()
    )


def _telling(by_class: Mapping[str, int]) -> _Vector | None:
    """Return counts as a vector; None if they are too few, or of other classes, to say anything."""
    vector = _vector(by_class)
    few = vector.sum() < MIN_ROWS or vector.sum() != sum(by_class.values())
    return None if few else vector


def owners(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say whose class counts some counts are, by split; empty if they are nobody's."""
    found = {
        what
        for by_class in (*counts.values(), _total(counts))
        if (vector := _telling(by_class)) is not None
        for _, what, known in known_prints()
        if _alike(vector, known)
    }
    return sorted(found)


def _suspicion(name: str, vector: _Vector) -> str:
    """Say whose counts these are, if not the dataset's own."""
    if _is_known(vector, name):
        return ""
    return _other_owner(vector) or _mixed_up(name, vector)


def _is_known(vector: _Vector, name: str) -> bool:
    return any(owner == name and _alike(vector, known) for owner, _, known in known_prints())


def _other_owner(vector: _Vector) -> str:
    for owner, what, known in known_prints():
        if _alike(vector, known):
            return f"the class counts are those of {what}, so this is {owner} under another name"
    return ""


def _mixed_up(name: str, vector: _Vector) -> str:
    if _other_owner(vector):
        return ""
    for _, what, known in known_prints():
        if _alike(np.sort(vector), np.sort(known)):
            return (
                f"the class counts are those of {what} under other names"
                f"{_whose_order(name, vector, known)}: the labels are mixed up"
            )
    return ""


def _whose_order(name: str, vector: _Vector, known: _Vector) -> str:
    """Name the dataset whose label codes would explain the counts."""
    if name not in dataset_names():
        return ""  # a declared set, whose codes are the user's
    own = dataset_info(name).codes
    orders = {each: other.info.codes for each, other in all_ingesters().items() if each != name}
    orders["folders in alphabetical order"] = dict(enumerate(sorted(own.values()), min(own)))
    for order, codes in orders.items():
        moved = np.zeros(len(CANONICAL), np.int64)
        for code, label in own.items():
            if codes.get(code) in CANONICAL and label in CANONICAL:
                moved[CANONICAL.index(codes[code])] = vector[CANONICAL.index(label)]
        if _alike(moved, known):
            return f", as if its codes were those of {order}"
    return ""


def known_prints() -> Iterator[tuple[str, str, _Vector]]:
    """Yield dataset, description and counts (over `CANONICAL`) of every known fingerprint."""
    for name, reader in all_ingesters().items():
        known = reader.info
        if known.counts_status == PUBLISHED and set(known.codes.values()) <= set(CANONICAL):
            yield from _own_prints(known)
        for what, counts in known.fingerprints.items():
            yield name, f"{name} ({what})", _vector(counts)


def _own_prints(known: DatasetInfo) -> Iterator[tuple[str, str, _Vector]]:
    every = {known.name: known.counts} | {
        f"{known.name} ({layout.name})": layout.counts
        for layout in known.layouts
        if layout.counts and all(ALL_CLASSES not in part for part in layout.counts.values())
    }
    for what, counts in every.items():
        for split, by_class in counts.items():
            yield known.name, f"{what}, {split}", _vector(by_class)
        if len(counts) > 1:
            yield known.name, f"{what}, all splits", _vector(_total(counts))


def _total(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for by_class in counts.values():
        for label, number in by_class.items():
            total[label] = total.get(label, 0) + number
    return total


def _vector(by_class: Mapping[str, int]) -> _Vector:
    return np.array([by_class.get(name, 0) for name in CANONICAL], dtype=np.int64)


def _alike(one: _Vector, other: _Vector) -> bool:
    """Say whether counts differ by a few rows at most, with the same classes empty."""
    if ((one == 0) != (other == 0)).any():
        return False
    return bool(np.abs(one - other).sum() <= TOLERANCE * other.sum())


def _named_after(folder: Path) -> str | None:
    """Return the dataset that a folder's name mentions, if it mentions exactly one."""
    word = re.sub(r"[^a-z0-9+]", "", folder.name.lower())
    found = {name for name in dataset_names() if name.replace("-", "") in word}
    found |= {name for part, name in _OTHER_NAMES.items() if part in word}
    found -= {"rafdb"} if "rafdb-compound" in found else set()
    return found.pop() if len(found) == 1 else None
