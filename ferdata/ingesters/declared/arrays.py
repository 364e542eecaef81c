"""The rows of HDF5 and npz files with an array of images and one of labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.errors import AnnotationError, ParseError
from ferdata.core.parsing import parsing
from ferdata.ingesters.declared.declaration import Column, Table
from ferdata.ingesters.declared.pattern import Pattern
from ferdata.ingesters.declared.row import Row

_Arrays = tuple[dict[str, int], Callable[[str], Any]]
"""The length of each array by name, and a function that reads one."""


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
    with open_arrays(path) as (lengths, read):
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
                columns[column] = _cells(path, other, read(other))
            for row in range(lengths[name]):
                cells = {column: values[row] for column, values in columns.items()}
                uri = f"{file}#{name}/{row}"
                yield Row(uri, cells, stored=uri, split=words.get("split", ""))


@contextmanager
def open_arrays(path: Path) -> Iterator[_Arrays]:
    """Open a file; yield the length of each array by name, and a function that reads one.

    Raises:
        AnnotationError: The file can't be read.
    """
    opened = _npz_arrays if path.suffix.lower() == ".npz" else _hdf5_arrays
    try:
        with parsing("whole"), opened(path) as found:
            yield found
    except ParseError as error:
        raise AnnotationError(path, f"is no readable file of arrays: {error}") from None


@contextmanager
def _npz_arrays(path: Path) -> Iterator[_Arrays]:
    with np.load(path, allow_pickle=False) as arrays:
        yield {name: _length(arrays[name]) for name in sorted(arrays.files)}, arrays.get


@contextmanager
def _hdf5_arrays(path: Path) -> Iterator[_Arrays]:
    import h5py  # noqa: PLC0415 - few sets need it

    with h5py.File(path, "r") as found:
        names: list[str] = []
        found.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
        lengths = {name: _length(found[name]) for name in sorted(names)}
        yield lengths, lambda name: found[name][()]


def _length(array: Any) -> int:
    return int(array.shape[0]) if array.ndim else 0


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
