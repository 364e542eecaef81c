"""What words and columns of an unknown set probably mean; the user checks it in the draft."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ferdata.core.given_splits import split_of_word
from ferdata.core.labels import find_name

MOST_CODES = 12
"""More different numbers than this are no label codes."""

_MOSTLY = 0.9

_HEADERS: Mapping[str, tuple[str, ...]] = {
    "label": ("label", "emotion", "expression", "exp", "class", "target", "y"),
    "split": ("split", "fold", "usage", "set", "subset", "partition", "phase"),
    "subject": ("subject", "subject_id", "person", "person_id", "identity", "participant", "actor"),
    "sequence": ("sequence", "clip", "video"),
    "frame": ("frame", "frame_number"),
    "pose": ("pose", "view"),
    "gender": ("gender", "sex"),
    "race": ("race", "ethnicity"),
    "age_group": ("age", "age_group"),
    "valence": ("valence", "val"),
    "arousal": ("arousal", "aro"),
    "action_units": ("action_units", "aus"),
}
"""Names that columns have in sets that circulate."""


@dataclass(frozen=True)
class Meaning:
    """What some words could be.

    Attributes:
        split: They name splits.
        label: They name expressions.
        code: They are few numbers, so perhaps label codes.
    """

    split: bool
    label: bool
    code: bool


def meaning(words: Iterable[str]) -> Meaning:
    """Judge the different words at one place of the paths, or of one column."""
    known = {word.strip() for word in words}
    if not known:
        return Meaning(split=False, label=False, code=False)
    return Meaning(
        split=_share(known, lambda word: split_of_word(word) is not None) == 1,
        label=_share(known, is_expression) >= _MOSTLY / 2 and sum(map(is_expression, known)) > 1,
        code=1 < len(known) <= MOST_CODES and all(re.fullmatch(r"\d{1,2}", each) for each in known),
    )


def is_expression(word: str) -> bool:
    """Say whether a word names an expression."""
    return find_name(word) is not None


def guess_columns(
    header: Sequence[str] | None, rows: Sequence[Sequence[str]], is_file: Callable[[str], bool]
) -> dict[str, str | int]:
    """Return the probable column of each meaning.

    Args:
        header: Names of the columns; None without a header.
        rows: Cells of some rows.
        is_file: Says whether a cell is the path of an image of the set.

    Returns:
        `{"path": "file", "label": "emotion"}`, or numbers from 1 without a header.
    """
    found: dict[str, str | int] = {}
    width = len(header) if header is not None else min(map(len, rows), default=0)
    columns = [[row[position] for row in rows if position < len(row)] for position in range(width)]
    names = [each.strip().lower() for each in header or [""] * width]
    named = [(name, cells) for name, cells in zip(names, columns, strict=True) if name]
    told: dict[str, bool] = {}
    for place, (name, cells) in enumerate(zip(names, columns, strict=True)):
        kind = next((kind for kind, known in _HEADERS.items() if name in known), None)
        what = meaning(cells)
        if cells and _share(cells, is_file) >= _MOSTLY:
            kind = "path"
        elif kind is None and header is None:
            kind = "split" if what.split else "label" if what.label or what.code else None
        elif kind is None and what.label:
            kind = "label"
        column = place + 1 if header is None else name
        if kind and column and kind not in found:
            found[kind] = column
            told[kind] = what.label
    spelled = next((name for name, cells in named if meaning(cells).label), None)
    if "label" in found and not told["label"] and spelled:  # words beside codes: label, label_name
        found["label"] = spelled
    return found


def _share(words: Iterable[str], test: Callable[[str], bool]) -> float:
    results = [test(word) for word in words]
    return sum(results) / len(results)
