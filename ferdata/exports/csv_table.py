"""Tables: `labels.csv` and `landmarks.csv` with a row per image, and `images/SPLIT/NAME.png`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ferdata.core.files import csv_rows
from ferdata.exports.contract import COLUMNS, ExportContent, ExportFormat, shortest
from ferdata.exports.images import table_header, table_row, write_image

_COLUMNS = tuple(name for name in COLUMNS if name != "landmarks")


def write(folder: Path, content: ExportContent) -> None:
    """Write the images and the tables; rows of `landmarks.csv` are those of `labels.csv`."""
    classes, points = content.label_space.names, content.build.landmarks.points
    with ExitStack() as stack:
        header = table_header(classes, _COLUMNS)
        write_label = stack.enter_context(csv_rows(folder / "labels.csv", header))
        if points:
            header = ["file", *_places(points)]
            write_landmarks = stack.enter_context(csv_rows(folder / "landmarks.csv", header))
        for split in content.splits:
            (folder / "images" / split).mkdir(parents=True)
            for row in content.rows(split):
                file = f"images/{split}/{row.name}.png"
                write_image(folder, file, row)
                write_label(table_row(file, row, _COLUMNS, len(classes)))
                if points:
                    write_landmarks([file, *_coordinates(row.values["landmarks"], points)])


def _places(points: int) -> Iterator[str]:
    """Yield the names of the coordinates: x0, y0, x1, …."""
    return (f"{axis}{point}" for point in range(points) for axis in "xy")


def _coordinates(landmarks: Any, points: int) -> list[float | None]:
    return [None] * (2 * points) if landmarks is None else shortest(landmarks.reshape(-1))


CSV = ExportFormat(
    name="csv",
    title="tables and PNG files",
    write=write,
    readers="pandas, and what else reads CSV",
    example="""\
import pandas as pd

labels = pd.read_csv("{out}/labels.csv", index_col="file")
{split} = labels[labels.split == "{split}"]""",
)
