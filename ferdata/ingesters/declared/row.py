"""One row of a declared table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Cells = Mapping[str | int, object]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        uri: The file and the row, `labels.csv#12`; lines of text files count from 1.
        cells: The declared columns.
        problem: Why the row can't be used; empty if it can.
        path: Path of the image, where the table gives it apart from the declared column.
        stored: The image inside the file, as a uri of the manifest.
        split: The word of the split that the row's array is named after.
    """

    uri: str
    cells: Cells = field(default_factory=dict)
    problem: str = ""
    path: str = ""
    stored: str = ""
    split: str = ""
