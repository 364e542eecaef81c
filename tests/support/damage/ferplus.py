"""Damages of FER+'s copies."""

from __future__ import annotations

from pathlib import Path

from support.damage.base import (
    ERROR,
    SAME,
    Damage,
    add,
    edit,
    first,
    header,
    line,
    remove,
    reverse,
)

VOTES = "fer2013new.csv"
LIST = "FER2013Train/label.csv"


def first_kept(root: Path) -> Path:
    """Return the first image of train whose votes have a majority for an expression."""
    rows = [row.split(",") for row in (root / LIST).read_text().splitlines()]
    name = next(row[0] for row in rows if max(map(int, row[-10:-2])) > 5)
    return root / "FER2013Train" / name


def first_cloned(root: Path) -> Path:
    return first_kept(root / "data")


def broken(row: str) -> str:
    """Put a word where the last vote should be."""
    return row.rpartition(",")[0] + ",x"


DAMAGE = {
    "csv": Damage(
        wrong_header=(edit(VOTES, header("a,b")), ERROR),
        missing_file=(remove(first("fer2013.csv")), ERROR),
        extra_file=(add(first(VOTES), "notes.csv"), SAME),
        shuffled_order=(edit(VOTES, reverse), ERROR),
        wrong_code=(edit(VOTES, line(2, broken)), "malformed votes"),
    ),
    "clone": Damage(
        wrong_header=(edit(VOTES, header("a,b")), ERROR),
        missing_file=(remove(first_cloned), "missing image"),
        extra_file=(add(first("FER2013Valid/*.png"), "fer9999999.png"), SAME),
        shuffled_order=(edit(VOTES, reverse), SAME),
        wrong_code=(edit(VOTES, line(2, broken)), "malformed votes"),
    ),
    "folders": Damage(
        missing_file=(remove(first_kept), "missing image"),
        extra_file=(add(first("FER2013Valid/*.png"), "fer9999999.png"), SAME),
        shuffled_order=(edit(LIST, lambda lines: lines[::-1]), SAME),
        wrong_code=(edit(LIST, line(0, broken)), "malformed line"),
    ),
}
