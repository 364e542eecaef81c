"""How a line of a table is split into cells, and how that is found out from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ferdata.core.delimited.encoding import TextFormat

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars (|)", " ": "spaces"}
"""What separates cells, with its name in messages; a space stands for any run of blanks."""

_UNKNOWN = ":^~#&/!"
"""Characters that somebody may have separated cells by, for a message."""


def _cell_pattern(mark: str) -> re.Pattern[str]:
    """Return the pattern of a cell in quotes, or else of any cell, with what ends it."""
    mark = re.escape(mark)
    return re.compile(rf' *+"([^"]*+(?:""[^"]*+)*+)" *(?:{mark}|$)|([^{mark}]*+)(?:{mark}|$)')


_CELL = {mark: _cell_pattern(mark) for mark in DELIMITERS if mark != " "}
_WORD = re.compile(r'"([^"]*)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    Attributes:
        text: Encoding and line ends.
        delimiter: One of `DELIMITERS`.
        quoted: Whether there are quotes in its first lines.
    """

    text: TextFormat
    delimiter: str
    quoted: bool = False

    def split(self, line: str) -> list[str]:
        """Split a line into cells, without the quotes around them.

        Each line stands for itself, so that a stray quote can't swallow the lines after it.
        """
        return split_line(line, self.delimiter)

    def describe(self) -> str:
        """Say in words how the table is written: `UTF-16, separated by semicolons, quoted`."""
        ends = ", lines end in CR" if self.text.newline == "\r" else ""
        quoted = ", quoted" if self.quoted else ""
        return f"{self.text.describe()}, separated by {DELIMITERS[self.delimiter]}{quoted}{ends}"


def split_line(line: str, delimiter: str) -> list[str]:
    """Split a line at one of `DELIMITERS`; quotes around a cell are removed, doubled ones halved.

    A line without characters has one empty cell, or none where blanks separate.
    """
    if delimiter == " ":
        if '"' not in line:
            return line.split()
        return [inner or outer for inner, outer in _WORD.findall(line)]
    if '"' not in line:
        return line.split(delimiter)
    if line[0] == line[-1] == '"':  # most often, all cells are quoted and none contains a quote
        cells = line[1:-1].split(f'"{delimiter}"')
        if line.count('"') == 2 * len(cells):
            return cells
    found = _CELL[delimiter].findall(line)
    if found and not line.endswith(delimiter):
        found.pop()  # what the pattern finds behind the last cell
    return [inner.replace('""', '"') if inner else outer for inner, outer in found]


def trimmed(cells: Sequence[str], width: int) -> Sequence[str]:
    """Cut the empty cells that spreadsheets write behind the last column.

    Args:
        cells: The cells of a line.
        width: How many are kept, empty or not.
    """
    size = len(cells)
    while size > width and not cells[size - 1].strip():
        size -= 1
    return cells[:size]


def fold_name(name: str) -> str:
    """Return a column's name as it is compared: without case, quotes and kind of blanks."""
    return re.sub(r"[\s_\-]+", " ", name.strip(" \t\"'#\ufeff")).strip().casefold()


def find_delimiter(
    lines: Sequence[str], wanted: Collection[str] = (), widths: Collection[int] = ()
) -> str:
    """Tell what separates the cells of a table.

    Args:
        lines: Its first lines, none of them blank; at least one.
        wanted: Folded names of columns; a header that has most of them decides.
        widths: How many cells a line may have, where there is no header to go by.

    Returns:
        One of `DELIMITERS`; a comma if nothing separates.
    """
    found = {mark: [split_line(line, mark) for line in lines] for mark in DELIMITERS}
    hits = {mark: len(set(wanted) & set(map(fold_name, rows[0]))) for mark, rows in found.items()}
    best = max(hits, key=lambda mark: (hits[mark], mark in lines[0]))
    if hits[best]:
        return best
    fits = {mark: sum(len(row) in widths for row in rows) for mark, rows in found.items()}
    best = max(fits, key=lambda mark: fits[mark])
    if fits[best] and (max(widths) > 1 or fits[best] == len(lines)):
        return best
    return max(found, key=lambda mark: _evenness(found[mark]))


def unknown_delimiter(line: str) -> str | None:
    """Return a character that may separate the cells of a line in which no known one does."""
    return next((mark for mark in _UNKNOWN if mark in line), None)


def _evenness(rows: list[list[str]]) -> float:
    """Return the share of lines that have as many cells as the first one; 0 if that has one."""
    width = len(rows[0])
    return Counter(map(len, rows))[width] / len(rows) if width > 1 else 0.0
