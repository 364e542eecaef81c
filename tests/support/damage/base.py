"""How a synthetic copy of a layout can be damaged, and what ingest must then say.

Each dataset has a file `damage_NAME.py` with `DAMAGE: dict[layout, Damage]`; the contract test runs
all of them and fails for a layout without one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SAME = "same"
"""The rows stay as they were: equal ids with equal labels; there may be further rejects."""

ERROR = "error"
"""Ingest stops with a FerdataError."""

FEWER = "fewer"
"""Rows are gone without a reject: nothing but the counts can tell."""


@dataclass(frozen=True)
class Damage:
    """Five ways of damaging a copy, each with what is expected.

    Each is a function that changes the copy below a root, and SAME, ERROR, FEWER, or the kind of
    the reject that stands for the row that is lost. None where a layout has no such thing (the
    reason goes into a comment).
    """

    wrong_header: tuple[Callable[[Path], None], str] | None
    missing_file: tuple[Callable[[Path], None], str]
    extra_file: tuple[Callable[[Path], None], str]
    shuffled_order: tuple[Callable[[Path], None], str] | None
    wrong_code: tuple[Callable[[Path], None], str]


def edit_lines(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Change a text file line by line; its line ends and the end of its last line stay."""
    text = path.read_bytes().decode("utf-8")
    end = "\r\n" if "\r\n" in text else "\n"
    last = end if text.endswith(end) else ""
    lines = text.removesuffix(end).split(end)
    path.write_bytes((end.join(change(lines)) + last).encode("utf-8"))
