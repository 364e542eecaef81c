"""Damages of FER+'s copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.damage.base import ERROR, SAME, Damage, edit_lines

VOTES = "fer2013new.csv"
LIST = "FER2013Train/label.csv"


def edit(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    return lambda root: edit_lines(root / name, change)


def first_kept(root: Path) -> Path:
    """Return the first image of train whose votes have a majority for an expression."""
    for line in (root / LIST).read_text().splitlines():
        name, votes = line.split(",")[0], list(map(int, line.split(",")[-10:]))
        if max(votes[:8]) > 5:
            return root / "FER2013Train" / name
    raise LookupError


def broken(line: str) -> str:
    """Put a word where the last vote should be."""
    return line.rpartition(",")[0] + ",x"


def swap_blocks(lines: list[str]) -> list[str]:
    return [lines[0], *lines[:0:-1]]


DAMAGE = {
    "csv": Damage(
        wrong_header=(edit(VOTES, lambda lines: ["a,b", *lines[1:]]), ERROR),
        missing_file=(lambda root: (root / "fer2013.csv").unlink(), ERROR),
        extra_file=(lambda root: (root / "notes.csv").write_text("a,b\n1,2\n"), SAME),
        shuffled_order=(edit(VOTES, swap_blocks), ERROR),
        wrong_code=(
            edit(VOTES, lambda lines: [*lines[:2], broken(lines[2]), *lines[3:]]),
            "malformed votes",
        ),
    ),
    "folders": Damage(
        wrong_header=None,  # label.csv has none
        missing_file=(
            lambda root: first_kept(root).unlink(),
            "missing image",
        ),
        extra_file=(
            lambda root: (root / "FER2013Valid/fer9999999.png").write_bytes(b"x"),
            SAME,
        ),
        shuffled_order=(edit(LIST, lambda lines: lines[::-1]), SAME),
        wrong_code=(
            edit(LIST, lambda lines: [broken(lines[0]), *lines[1:]]),
            "malformed line",
        ),
    ),
}
