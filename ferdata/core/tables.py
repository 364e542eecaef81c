"""Tables as plain text and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

GAP = "  "
"""Separator of the columns of a text table."""


def text_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, align: str = "lr", indent: int = 0
) -> str:
    """Align cells in columns.

    Args:
        heads: Titles of the columns; empty for a table without a header.
        rows: Cells, as many in each row as there are columns.
        align: `l` or `r` for each column; the last letter applies to all further columns. The
            default aligns the first column left and the others right.
        indent: Spaces before each line.

    Returns:
        One line per row, without trailing spaces; empty if there are neither heads nor rows.

    Raises:
        ValueError: The rows have different numbers of cells.
    """
    lines = [*([heads] if heads else []), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = align + align[-1] * (len(widths) - len(align))
    return "\n".join(
        " " * indent
        + GAP.join(
            cell.ljust(width) if side == "l" else cell.rjust(width)
            for cell, width, side in zip(line, widths, sides, strict=False)
        ).rstrip()
        for line in lines
    )


def markdown_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, escaped: bool = False
) -> str:
    """Return a table in GitHub's Markdown.

    Args:
        heads: Titles of the columns.
        rows: Cells, as many in each row as there are heads.
        escaped: Whether heads and cells are already Markdown; otherwise they are escaped.
    """
    cell = str if escaped else escape_markdown
    lines = [[cell(head) for head in heads], ["---"] * len(heads)]
    lines += [[cell(each) for each in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape_markdown(text: str) -> str:
    """Escape text for a line or a table cell of Markdown: no markup, no HTML, one line."""
    flat = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", " ".join(text.split()))
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
