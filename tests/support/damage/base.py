"""How a synthetic copy of a layout can be damaged, and what ingest must then say.

Each dataset has a file `damage/NAME.py` with `DAMAGE: dict[layout, Damage]`; the contract test runs
all of them and fails for a layout without one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import pyarrow as pa
import pyarrow.parquet as pq

SAME = "same"
"""The rows don't change: equal ids with equal labels; there may be further rejects."""

ERROR = "error"
"""Ingest stops with a FerdataError."""

FEWER = "fewer"
"""Rows are missing without a reject: nothing but the counts can tell."""

Find = Callable[[Path], Path]
Change = Callable[[Path], object]
Lines = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Damage:
    """Five ways of damaging a copy, each with what is expected.

    Each is a function that changes the copy below a root, and SAME, ERROR, FEWER, or the kind of
    the reject that stands for the lost row. None where a layout has no such thing: one whose file
    names are the lists has no header and no order.
    """

    missing_file: tuple[Change, str]
    extra_file: tuple[Change, str]
    wrong_code: tuple[Change, str]
    wrong_header: tuple[Change, str] | None = None
    shuffled_order: tuple[Change, str] | None = None


def first(pattern: str) -> Find:
    """Return a function that finds the first file of a pattern."""
    return lambda root: min(root.rglob(pattern))


def remove(find: Find) -> Change:
    return lambda root: find(root).unlink()


def add(find: Find, name: str) -> Change:
    """Put a file that is no image beside another one; as a csv, it is somebody else's."""
    return lambda root: find(root).with_name(name).write_bytes(b"a,b\n1,2\n")


def move(find: Find, to: Find) -> Change:
    """Move a file to the path that `to` makes of its own."""

    def change(root: Path) -> None:
        path = find(root)
        to(path).parent.mkdir(exist_ok=True)
        path.rename(to(path))

    return change


def to_class(name: str) -> Find:
    """Return the path of a file in another class folder."""
    return lambda path: path.parents[1] / name / path.name


def renamed(old: str, new: str) -> Find:
    return lambda path: path.with_name(path.name.replace(old, new))


def edit(name: str, change: Lines) -> Change:
    """Change a text file line by line; its line ends and the end of its last line stay."""

    def rewrite(root: Path) -> None:
        path = root / name
        text = path.read_bytes().decode("utf-8")
        end = "\r\n" if "\r\n" in text else "\n"
        last = end if text.endswith(end) else ""
        lines = text.removesuffix(end).split(end)
        path.write_bytes((end.join(change(lines)) + last).encode("utf-8"))

    return rewrite


def recode_array(name: str, array: str) -> Change:
    """Give the first image of an HDF5 array the code 77."""

    def change(root: Path) -> None:
        with h5py.File(root / name, "r+") as file:
            file[array][0] = 77

    return change


def recode_parquet(name: str) -> Change:
    """Give the first row of a Parquet file the code 77."""

    def change(root: Path) -> None:
        table = pq.read_table(root / name)
        codes = [77, *table.column("label").to_pylist()[1:]]
        place = table.schema.get_field_index("label")
        pq.write_table(table.set_column(place, "label", pa.array(codes, pa.int64())), root / name)

    return change


def header(text: str) -> Lines:
    return lambda lines: [text, *lines[1:]]


def line(number: int, change: Callable[[str], str]) -> Lines:
    return lambda lines: [*lines[:number], change(lines[number]), *lines[number + 1 :]]


def reverse(lines: list[str]) -> list[str]:
    """Reverse the lines below the header."""
    return [lines[0], *lines[:0:-1]]
