"""A table in a text file, read line by line, with its columns found by name or by place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from ferdata.core.delimited.dialect import (
    DELIMITERS,
    Dialect,
    find_delimiter,
    fold_name,
    trimmed,
    unknown_delimiter,
)
from ferdata.core.delimited.encoding import read_head, text_format
from ferdata.core.delimited.lines import LONGEST, TextLines, head_lines
from ferdata.core.delimited.values import whole_number
from ferdata.core.errors import AnnotationError

Header = Literal["required", "optional"]

BLANK = "blank line"
"""The problem of a line without any cell."""

_CUT = LONGEST - 2  # characters; a line of as many, without its end, was cut
_SHOWN = 20  # lines by which a table is judged
_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)  # a first line for Excel
_MORE = 50  # columns that a table may have beyond the last wanted one
_NAMES = 12  # columns named in a message


class Line(NamedTuple):
    """One line of a table.

    Attributes:
        number: Its number in the file, from 1.
        cells: The wanted cells in the order in which they were asked for, without blanks and
            quotes around them; empty ones for optional columns that the table lacks. None in a line
            that is malformed.
        text: The line as it stands.
        problem: Why a line has no cells; a kind, a colon, and details: `malformed line: 2 cells,
            expected 9`.
    """

    number: int
    cells: Sequence[str]
    text: str
    problem: str = ""


@dataclass(frozen=True)
class TableHead:
    """What the first lines of a table say, before it is known which columns are wanted.

    Attributes:
        path: The file.
        dialect: How it is written.
        rows: The cells of its first lines that are not blank, the header among them if there is
            one; without blanks around them.
        line: Number of the first of these lines in the file.
        skipped: Lines before the table: 1 where Excel's `sep=;` stands above it.
    """

    path: Path
    dialect: Dialect
    rows: tuple[tuple[str, ...], ...]
    line: int
    skipped: int

    @property
    def names(self) -> tuple[str, ...]:
        """The first line's cells in lower case: the names of the columns, if it is a header.

        Without empty ones behind the last; with one before the first where all lines have a cell
        more: an index without a name, as R writes it.
        """
        names = [name.strip("\"'").lower() for name in trimmed(self.rows[0], 1)]
        others = [row for row in self.rows[1:] if len(row) == len(names) + 1 and row[-1]]
        return ("", *names) if others and len(others) == len(self.rows) - 1 else tuple(names)

    def first_of(self, names: Sequence[str]) -> str:
        """Return the first of some names that a column has; empty if none has."""
        known = self.names
        return next((each for each in names if each in known), "")

    @property
    def has_header(self) -> bool:
        """Whether the first line is a header, as far as the file alone tells: words above numbers.

        A guess; where the wanted columns are known by name, `open_table` goes by these.
        """
        first, *others = self.rows
        names = [cell for cell in first if cell]
        if any(whole_number(cell) is not None for cell in names) or len(set(names)) < len(names):
            return False
        return any(whole_number(cell) is not None for row in others for cell in row) or bool(
            set(map(fold_name, names)) & _USUAL
        )


_USUAL = frozenset(("image", "path", "file", "filename", "label", "emotion", "class", "pixels"))
"""Names that a header of a table of images is known by."""


def sniff_table(path: Path, wanted: Sequence[str] = (), widths: Sequence[int] = ()) -> TableHead:
    """Look at the first lines of a table.

    Args:
        path: The file.
        wanted: Columns that may be in its header.
        widths: How many cells a line may have, where there is no header.

    Raises:
        AnnotationError: It can't be read, is empty, or is no text; says what it is.
    """
    head = read_head(path)
    text = text_format(path, head)
    shown = list(enumerate(head_lines(text, head)[: 2 * _SHOWN], start=1))
    delimiter, skipped = None, 0
    if match := _SEPARATOR.fullmatch(shown[0][1].strip('"')):
        delimiter = match[1] if match[1] in DELIMITERS else None
        skipped = 1
    shown = shown[skipped:]
    lines = [(number, line) for number, line in shown if line.strip()][:_SHOWN]
    if not lines:
        raise AnnotationError(path, "has blank lines only; a table was expected")
    texts = [line for _, line in lines]
    if delimiter is None:
        delimiter = find_delimiter(texts, set(map(fold_name, wanted)), widths)
    dialect = Dialect(text, delimiter, any('"' in line for line in texts))
    rows = tuple(tuple(cell.strip() for cell in dialect.split(line)) for line in texts)
    return TableHead(path, dialect, rows, lines[0][0], skipped)


def open_table(
    path: Path,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    header: Header = "required",
    advice: str = "",
) -> Table:
    """Open a table and find its columns.

    Names are compared without case and kind of blanks; further columns, such as the index that
    pandas adds, don't matter. Without a header, the columns are expected in the order given, after
    an index if there is one.

    Args:
        path: The file: text in any usual encoding, separated by any of `DELIMITERS`.
        columns: The columns that it must have.
        optional: Columns that are read if they are there.
        header: Whether there must be a line with names.
        advice: What to do about a table without these columns, for the message.

    Raises:
        AnnotationError: It can't be read, is empty, is no text (says what it is), or lacks a
            column.
    """
    widths = range(len(columns), len(columns) + len(optional) + 2)
    found = sniff_table(path, (*columns, *optional), widths if header == "optional" else ())
    names = [fold_name(name) for name in found.names]
    wanted = (*columns, *optional)
    if set(map(fold_name, wanted)) & set(names):
        missing = [name for name in columns if fold_name(name) not in names]
        if missing:
            raise AnnotationError(f"{path} line {found.line}", _missing(found, missing, advice))
        folded = [fold_name(name) for name in wanted]
        places = [names.index(name) if name in names else -1 for name in folded]
        return Table(found, places, len(names), found.line, is_named=True)
    if header == "required":
        raise AnnotationError(f"{path} line {found.line}", _missing(found, columns, advice))
    return _by_place(found, len(columns), len(wanted), advice or f"expected {', '.join(columns)}")


def open_table_at(path: Path, places: Sequence[int]) -> Table:
    """Open a table without a header whose columns are given by their places.

    Args:
        path: The file.
        places: Where the wanted columns stand, from 0.

    Raises:
        AnnotationError: It can't be read, is empty, is no text (says what it is), or has fewer
            columns.
    """
    head = sniff_table(path, widths=range(max(places) + 1, max(places) + _MORE))
    sizes = [len(row) for row in head.rows]
    width = max(set(sizes), key=sizes.count)
    if width <= max(places):
        where = f"{path} line {head.line}"
        what = f"has {width} columns, but column {max(places) + 1} is declared"
        raise AnnotationError(where, f"{what} ({head.dialect.describe()})")
    return Table(head, list(places), width, head.skipped, is_named=False)


class Table:
    """The lines of a table; made by `open_table`.

    Attributes:
        path: The file.
        head: What its first lines say.
        width: Cells of a line, wanted or not.
        is_named: Whether the columns were found by name.
    """

    def __init__(
        self, head: TableHead, places: list[int], width: int, below: int, *, is_named: bool
    ) -> None:
        self.path, self.head, self.width, self.is_named = head.path, head, width, is_named
        self._places, self._below = places, below
        self._lines = TextLines(head.path, head.dialect.text)

    def rows(self) -> Iterator[Line]:
        """Yield each line below the header, whole or malformed, in constant memory.

        Raises:
            AnnotationError: The file can't be read to its end.
        """
        split, width, places = self.head.dialect.split, self.width, self._places
        whole = -1 not in places
        for number, text in enumerate(self._lines, start=1):
            if number <= self._below:
                continue
            cells: Sequence[str] = split(text)
            if len(cells) != width:
                cells = trimmed(cells, width)
            if len(cells) != width or len(text) >= _CUT:
                yield Line(number, (), text, self._problem(text, cells))
                continue
            if whole:
                wanted = [cells[place].strip() for place in places]
            else:
                wanted = [cells[place].strip() if place >= 0 else "" for place in places]
            yield Line(number, wanted, text) if any(wanted) else Line(number, (), text, BLANK)

    @property
    def notices(self) -> tuple[str, ...]:
        """What should be said of a table that was read: kinds of notices, in the plural."""
        found = []
        if self.head.dialect.text.encoding != "utf-8":
            found.append(f"tables are in {self.head.dialect.text.describe()} and read as such")
        if self._lines.foreign:
            found.append("tables have lines that are not UTF-8, read as Windows-1252")
        return tuple(found)

    def _problem(self, text: str, cells: Sequence[str]) -> str:
        if not any(cell.strip() for cell in cells):
            return BLANK
        if len(text) >= _CUT:
            return f"malformed line: longer than {LONGEST:,} characters"
        if "\x00" in text:
            return "malformed line: it contains zero bytes"
        return f"malformed line: {len(cells)} cells, expected {self.width}"


def _by_place(head: TableHead, least: int, most: int, expected: str) -> Table:
    """Return a table without names: its columns in order, perhaps after an index."""
    below = head.line if _is_numbering(head.rows[0], least) else 0
    rows = head.rows[1:] if below and len(head.rows) > 1 else head.rows
    sizes = [len(row) for row in rows]
    width = max(set(sizes), key=sizes.count)
    index = int(width > least and _counts_up([row[0] for row in rows if len(row) == width]))
    if not least <= width - index <= most:
        width, index = least, 0  # so that each other line is malformed
        if least > 1 and all(size == 1 for size in sizes):
            raise AnnotationError(
                f"{head.path} line {head.line}", f"{_one_column(head)}; {expected}"
            )
    places = [index + place if index + place < width else -1 for place in range(most)]
    return Table(head, places, width, below or head.skipped, is_named=False)


def _is_numbering(cells: Sequence[str], least: int) -> bool:
    """Say whether a line numbers the columns, which pandas writes above a table without names."""
    named = cells[1:] if not cells[0] else cells
    return len(named) >= least and [*map(whole_number, named)] == [*range(len(named))]


def _counts_up(cells: Sequence[str]) -> bool:
    """Say whether cells are an index: whole numbers, each one more than the last."""
    numbers = [whole_number(cell) for cell in cells]
    first = numbers[0]
    return first in (0, 1) and numbers == list(range(first, first + len(numbers)))


def _missing(head: TableHead, missing: Sequence[str], advice: str) -> str:
    """Say that columns are missing, and what is there."""
    names = [name for name in head.names if name]
    more = ", …" if len(names) > _NAMES else ""
    there = ", ".join(name[:40] for name in names[:_NAMES]) + more
    said = f"has no column {', '.join(missing)}; its columns are {there}"
    if len(names) == 1:
        said = f"has no column {', '.join(missing)}: {_one_column(head)}"
    elif close := difflib.get_close_matches(missing[0].lower(), names, n=1):
        said = f"{said}. Did you mean {close[0]!r}?"
    return f"{said} ({head.dialect.describe()}). {advice}".rstrip()


def _one_column(head: TableHead) -> str:
    """Say that no line could be split, and why that may be."""
    text = head.rows[0][0]
    mark = unknown_delimiter(text)
    separated = f"; it seems to be separated by {mark!r}, save it with commas" if mark else ""
    return f"its lines have one cell, {text[:60]!r}{separated}"
