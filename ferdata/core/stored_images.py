"""Images inside a file of many: bytes of a Parquet or Arrow column, arrays of HDF5 or npz files."""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import ImageError, ParseError
from ferdata.core.parsing import parsing

ARRAY_SUFFIXES = (".h5", ".hdf5", ".npz")
"""Endings of files with named arrays."""

ARROW_SUFFIX = ".arrow"
"""Ending of the files that `save_to_disk` of Hugging Face datasets writes."""

_OPEN_FILES = 4
_KEPT = 256 * 2**20  # bytes of row groups kept in each process


def read_stored(path: Path, column: str, row: int) -> bytes | npt.NDArray[np.uint8]:
    """Read one image of a file that holds many.

    Args:
        path: A Parquet, Arrow, HDF5 or npz file.
        column: The column, or the name of the array of images.
        row: The position, from 0.

    Returns:
        The bytes of an image file, or pixels: uint8, gray (H, W) or RGB (H, W, 3).

    Raises:
        ImageError: The file can't be read, or holds no such image.
    """
    try:
        with parsing("whole"):
            return _read(path, column, row)
    except ParseError as error:
        raise ImageError(f"file can't be read: {error}") from None


def _read(path: Path, column: str, row: int) -> bytes | npt.NDArray[np.uint8]:
    try:
        status = path.stat()
        key = (path, column, status.st_mtime_ns, status.st_size)
        if path.suffix.lower() == ".parquet":
            return _parquet_bytes(*key, row=row)
        if path.suffix.lower() == ARROW_SUFFIX:
            return _arrow_bytes(*key, row=row)
        images = _images(*key)
    except FileNotFoundError:
        raise ImageError("file is missing") from None
    except KeyError:
        raise ImageError(f"file has no column or array {column!r}") from None
    if not 0 <= row < len(images):
        raise ImageError(f"row is missing: {row}; {column} has {len(images)}")
    return as_pixels(np.asarray(images[row]))


def as_pixels(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return one image of an array as 8-bit pixels.

    Args:
        image: (H, W), (H, W, 1), RGB (H, W, 3), or the pixels of a square gray image in a row.

    Raises:
        ImageError: It has another shape, or values that are neither whole numbers from 0 to 255 nor
            fractions of 255 from 0 to 1.
    """
    if image.ndim == 1 and math.isqrt(image.size) ** 2 == image.size:
        image = image.reshape(math.isqrt(image.size), -1)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim != 2 and not (image.ndim == 3 and image.shape[2] == 3):
        raise ImageError(f"array of shape {image.shape}; expected (H, W), (H, W, 3) or a square")
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind == "f" and image.size and image.max() <= 1:
        scaled = np.rint(image * 255)
        image = scaled if np.allclose(scaled, image * 255, atol=0.01) else image
    whole = image.astype(np.uint8) if image.dtype.kind in "iuf" else None
    if whole is None or not np.array_equal(whole, image):
        raise ImageError(f"array of {image.dtype}; expected whole numbers from 0 to 255, or k/255")
    return whole


@lru_cache(maxsize=_OPEN_FILES)
def _images(path: Path, column: str, _modified: int, _size: int) -> Any:
    """Return an array of images; that of an HDF5 file stays on disk."""
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[column]
    import h5py  # noqa: PLC0415 - few sets need it

    found = h5py.File(path, "r")[column]
    if not isinstance(found, h5py.Dataset):
        raise KeyError(column)
    return found


def _parquet_bytes(path: Path, column: str, modified: int, size: int, *, row: int) -> bytes:
    file = _parquet(path, modified, size)
    if column not in file.schema_arrow.names:
        raise KeyError(column)
    first = 0
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if first <= row < first + rows:
            cells = _row_groups.get(file, (path, column, modified, size, group))
            return _cell_bytes(cells[row - first].as_py(), column, row)
        first += rows
    raise ImageError(f"row is missing: {row}; the file has {first}")


def _arrow_bytes(path: Path, column: str, modified: int, size: int, *, row: int) -> bytes:
    table = _arrow(path, modified, size)
    if not 0 <= row < table.num_rows:
        raise ImageError(f"row is missing: {row}; the file has {table.num_rows}")
    return _cell_bytes(table.column(column)[row].as_py(), column, row)


def _cell_bytes(cell: Any, column: str, row: int) -> bytes:
    """Return the bytes of an image, which Hugging Face keeps beside its path."""
    data = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if not isinstance(data, bytes):
        raise ImageError(f"no image bytes in row {row} of column {column!r}")
    return data


@lru_cache(maxsize=_OPEN_FILES)
def _parquet(path: Path, _modified: int, _size: int) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - few sets need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    return pq.ParquetFile(pa.OSFile(os.fsencode(path)))


@lru_cache(maxsize=_OPEN_FILES)
def _arrow(path: Path, _modified: int, _size: int) -> Any:
    """Map a file of Arrow's stream format; its bytes stay on disk."""
    from ferdata.core.arrow_stream import map_stream  # noqa: PLC0415 - few sets need it

    return map_stream(path)


_GroupKey = tuple[Path, str, int, int, int]


class _RowGroups:
    """Columns of row groups, the latest used of which stay in memory up to a limit.

    Rows are rendered in a random order, and a row can only be read with its whole group.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[_GroupKey, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, file: Any, key: _GroupKey) -> Any:
        """Return the column `key[1]` of the row group `key[4]` as an Arrow array."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            found = file.read_row_group(key[4], columns=[key[1]]).column(key[1]).combine_chunks()
            self._kept[key] = found
            while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
            return found


_row_groups = _RowGroups()
