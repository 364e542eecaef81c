"""The rows of HDF5 and npz files with an array of images and one of labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.errors import AnnotationError
from ferdata.core.named_arrays import open_arrays
from ferdata.ingesters.declared.declaration import Column, Table
from ferdata.ingesters.declared.pattern import Pattern
from ferdata.ingesters.declared.row import Row


def array_rows(path: Path, file: str, table: Table) -> Iterator[Row]:
    """Yield a row for each image.

    Args:
        path: The HDF5 or npz file.
        file: Its path relative to the data folder.
        table: The declared arrays; `{split}` in their names stands for several.

    Raises:
        AnnotationError: The file can't be read, or its arrays are not as declared.
    """
    if not isinstance(table.image, str):
        raise AnnotationError(path, "holds arrays; declare image: with the name of that of images")
    pattern = Pattern.of(table.image, allowed=("split",))
    with open_arrays(path) as arrays:
        lengths = arrays.lengths
        matched = [(name, words) for name in lengths if (words := pattern.match(name)) is not None]
        if not matched:
            raise AnnotationError(
                path, f"has no array {table.image!r}; its arrays are {', '.join(lengths)}"
            )
        for name, words in matched:
            columns: dict[Column, Any] = {}
            for column in (each for each in table.columns() if each != table.image):
                other = Pattern(str(column), ()).fill(words)
                if lengths.get(other) != lengths[name]:
                    raise AnnotationError(
                        path,
                        f"{name} has {lengths[name]} images, but {other} "
                        f"{lengths.get(other, 'is missing')}; its arrays are {', '.join(lengths)}",
                    )
                columns[column] = _cells(path, other, arrays.read(other))
            for row in range(lengths[name]):
                cells = {column: values[row] for column, values in columns.items()}
                uri = f"{file}#{name}/{row}"
                yield Row(uri, cells, stored=uri, split=words.get("split", ""))


def _cells(path: Path, name: str, values: Any) -> list[Any]:
    """Return one value for each row, text as text."""
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise AnnotationError(
            path, f"{name} has the shape {values.shape}; expected one value for each image"
        )
    return [
        each.decode("utf-8", "replace") if isinstance(each, bytes) else each
        for each in values.tolist()
    ]
