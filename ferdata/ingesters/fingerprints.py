"""Whose class counts are these? Copies with a wrong name or mixed-up codes.

The counts per class of a dataset are as good as a fingerprint. Copies are in circulation that are
called one dataset and hold another, and copies whose label codes follow another dataset's order:
both load without an error and train to plausible, wrong numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ferdata.core.labels import CANONICAL
from ferdata.ingesters.info import ALL_CLASSES, PUBLISHED, DatasetInfo, dataset_info, dataset_names

TOLERANCE = 0.005
"""Rows that may differ, as a share of all: a few images are missing from many copies."""

MIN_ROWS = 200
"""Below this many rows counts say nothing."""

_Vector = npt.NDArray[np.int64]

_OTHER_NAMES = {"fer+": "ferplus", "ck+": "ckplus", "raf": "rafdb"}
"""What people call folders of a dataset, besides its name here."""


def suspicions(
    name: str, counts: Mapping[str, Mapping[str, int]], folder: Path | None = None
) -> list[str]:
    """Say what speaks against a copy being the dataset that it was read as.

    Args:
        name: The dataset that it was read as.
        counts: Rows by split and class, as read.
        folder: Where it lies; a folder named after another dataset is worth a word.

    Returns:
        Sentences for a person; empty where nothing is suspicious.
    """
    found = []
    for split, by_class in (*counts.items(), ("all splits", _total(counts))):
        vector = _vector(by_class)
        if vector.sum() < MIN_ROWS or vector.sum() != sum(by_class.values()):
            continue
        if sentence := _suspicion(name, vector):
            found.append(f"{split}: {sentence}")
    if len(counts) == 1 and len(found) > 1:
        found.pop()  # the total of a single split says the same again
    other = _named_after(folder) if folder is not None else None
    if other and other != name and not {other, name} <= {"fer2013", "ferplus"}:
        found.append(f"the folder is named after {other}, its files and labels are {name}'s")
    return found


def _suspicion(name: str, vector: _Vector) -> str:
    """Say whose counts these are, if not the dataset's own."""
    prints = list(_prints())
    if any(owner == name and _alike(vector, known) for owner, _, known in prints):
        return ""
    for owner, what, known in prints:
        if _alike(vector, known):
            return f"the class counts are those of {what}; this is {owner}, whatever it is called"
    for _, what, known in prints:
        if _alike(np.sort(vector), np.sort(known)):
            return (
                f"the class counts are those of {what} under other names"
                f"{_whose_order(name, vector, known)}: its labels are mixed up"
            )
    return ""


def _whose_order(name: str, vector: _Vector, known: _Vector) -> str:
    """Name the dataset whose label codes would put the counts right."""
    own = dataset_info(name).codes
    orders = {each: dataset_info(each).codes for each in dataset_names() if each != name}
    orders["folders in alphabetical order"] = dict(enumerate(sorted(own.values()), min(own)))
    for order, codes in orders.items():
        moved = np.zeros(len(CANONICAL), np.int64)
        for code, label in own.items():
            if codes.get(code) in CANONICAL and label in CANONICAL:
                moved[CANONICAL.index(codes[code])] = vector[CANONICAL.index(label)]
        if _alike(moved, known):
            return f", as if its codes were those of {order}"
    return ""


def _prints() -> Iterator[tuple[str, str, _Vector]]:
    """Yield dataset, description and counts of every known fingerprint."""
    for name in dataset_names():
        known = dataset_info(name)
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
    """Tell whether counts are equal but for a few rows, with no class empty in only one of them."""
    if ((one == 0) != (other == 0)).any():
        return False
    return bool(np.abs(one - other).sum() <= TOLERANCE * other.sum())


def _named_after(folder: Path) -> str | None:
    """Return the dataset that a folder's own name speaks of, if it speaks of just one."""
    text = folder.name.lower()
    word = re.sub(r"[^a-z0-9+]", "", text)
    spoken = {name for name in dataset_names() if name.replace("-", "") in word}
    spoken |= {name for said, name in _OTHER_NAMES.items() if said in word}
    spoken -= {"rafdb"} if "rafdb-compound" in spoken else set()
    return spoken.pop() if len(spoken) == 1 else None
