"""Images of an export as single PNG files, and their rows as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ferdata.exports.contract import ARRAYS, NUMBERS, ExportRow, shortest

BOX = ("x1", "y1", "x2", "y2")


def write_image(folder: Path, path: str, row: ExportRow) -> None:
    """Write an image as PNG.

    Args:
        folder: The export.
        path: The file inside it, posix.
        row: The row.
    """
    (folder / path).write_bytes(row.png)


def table_header(classes: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the header of a table with a row per image, arrays spread over columns.

    Args:
        classes: The classes by index, for `soft_label`.
        columns: The columns of `COLUMNS` to write; `landmarks` has a table of its own.
    """
    spread = {
        "box": [f"box_{each}" for each in BOX],
        "soft_label": [f"soft_{name}" for name in classes],
    }
    return ["file", *(each for name in columns for each in spread.get(name, [name]))]


def table_row(file: str, row: ExportRow, columns: Sequence[str], classes: int) -> list[Any]:
    """Return the cells of a row under `table_header`; None where unknown."""
    cells: list[Any] = [file]
    widths = {"box": len(BOX), "soft_label": classes}
    for name in columns:
        value = row.values[name]
        if name in ARRAYS:
            cells += [None] * widths[name] if value is None else shortest(value)
        else:
            cells.append(shortest(value) if name in NUMBERS and value is not None else value)
    return cells
