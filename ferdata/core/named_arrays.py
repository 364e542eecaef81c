"""Files of named arrays, HDF5 and npz, opened for reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.errors import AnnotationError, ParseError
from ferdata.core.parsing import parsing


@dataclass(frozen=True)
class NamedArrays:
    """An open file of arrays.

    Attributes:
        shapes: The shape of each array by name, sorted by name.
        read: Reads an array by name, whole.
    """

    shapes: dict[str, tuple[int, ...]]
    read: Callable[[str], Any]

    @property
    def lengths(self) -> dict[str, int]:
        """The length of each array along its first dimension; 0 for a single value."""
        return {name: shape[0] if shape else 0 for name, shape in self.shapes.items()}


@contextmanager
def open_arrays(path: Path) -> Iterator[NamedArrays]:
    """Open a file of arrays.

    Raises:
        AnnotationError: The file can't be read.
    """
    opened = _open_npz if path.suffix.lower() == ".npz" else _open_hdf5
    try:
        with parsing("whole"), opened(path) as found:
            yield found
    except ParseError as error:
        raise AnnotationError(path, f"is no readable file of arrays: {error}") from None


@contextmanager
def _open_npz(path: Path) -> Iterator[NamedArrays]:
    with np.load(path, allow_pickle=False) as arrays:
        shapes = {name: tuple(arrays[name].shape) for name in sorted(arrays.files)}
        yield NamedArrays(shapes, arrays.__getitem__)


@contextmanager
def _open_hdf5(path: Path) -> Iterator[NamedArrays]:
    import h5py  # noqa: PLC0415 - few sets need it

    with h5py.File(path, "r") as found:
        names: list[str] = []
        found.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
        shapes = {name: tuple(found[name].shape or ()) for name in sorted(names)}
        yield NamedArrays(shapes, lambda name: found[name][()])
