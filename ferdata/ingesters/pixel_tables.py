"""Rows of a csv whose images are numbers in its cells: FER2013 and what was made like it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ferdata.core.delimited import sniff_table, whole_number
from ferdata.core.errors import AnnotationError, LabelError
from ferdata.core.pixel_rows import PixelRows
from ferdata.core.rejects import Reject
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.tree import FileTree


@dataclass(frozen=True, slots=True)
class TableRow:
    """One well-formed row.

    Attributes:
        key: Its position below the header, five digits: `00017`.
        uri: `fer2013.csv#17`.
        cells: The cells by column, in lower case.
    """

    key: str
    uri: str
    cells: dict[str, str]

    def word(self, column: str) -> str:
        """Return the text of a cell, empty if there is no such column."""
        return self.cells.get(column, "")

    def number(self, column: str) -> int | None:
        """Return the whole number in a cell, None if it says none."""
        return whole_number(self.word(column))


def try_header(tree: FileTree, path: str) -> tuple[str, ...]:
    """Return the columns of a table in lower case, none if it can't be read."""
    try:
        return sniff_table(tree.root / path).names
    except AnnotationError:
        return ()


def open_table(layout: Layout, table: str, columns: tuple[str, ...]) -> PixelRows:
    """Open a table.

    Args:
        layout: The layout that it belongs to.
        table: Its path, relative to the root.
        columns: The columns that it must have.

    Raises:
        AnnotationError: It can't be read, or a column is missing.
    """
    rows = PixelRows(layout.root / table)
    if missing := [column for column in columns if column not in rows.header]:
        raise AnnotationError(
            f"{rows.path} line {rows.head.line}",
            f"has no column {', '.join(missing)}; its columns are "
            f"{', '.join(rows.header)[:200]} ({rows.head.dialect.describe()}). "
            "Use fer2013.csv or icml_face_data.csv, which have all three.",
        )
    return rows


def read_rows(layout: Layout, table: str, rows: PixelRows) -> Iterator[TableRow | Reject]:
    """Yield each row of an open table, or the reject of a malformed one."""
    for position, cells in enumerate(rows.rows()):
        key, uri = f"{position:05d}", f"{table}#{position}"
        if cells is None:
            reason = f"malformed row: no cell for each of {', '.join(filter(None, rows.header))}"
            yield layout.reject(key, uri, reason)
        else:
            yield TableRow(key, uri, cells)


def read_labeled_rows(
    layout: Layout, rows: PixelRows, codes: Mapping[int, str], advice: str
) -> Iterator[tuple[TableRow, str] | Reject]:
    """Yield each row of a layout's table with its label, or its reject.

    Args:
        layout: The layout, whose first list is the table.
        rows: The table.
        codes: The label of each code in the column `emotion`.
        advice: What to tell someone whose table has other codes.

    Raises:
        LabelError: Too many rows have other codes.
    """
    expected, foreign = f"{min(codes)}–{max(codes)}", 0
    for row in read_rows(layout, layout.lists[0], rows):
        if isinstance(row, Reject):
            yield row
            continue
        word, code = row.word("emotion"), row.number("emotion")
        label = None if code is None else codes.get(code)
        if label is None:
            foreign += 1
            reason = f"label code {word}: expected {expected}; {advice}"
            yield layout.reject(row.key, row.uri, reason)
        else:
            yield row, label
    if is_other_dataset(foreign, len(rows)):
        raise LabelError(
            f"{layout.dataset}: {foreign} of {len(rows)} rows of {rows.path} have label codes "
            f"other than {expected}; {advice}."
        )
