"""Images inside files of many: HDF5 arrays of pixels, and Parquet columns of encoded images."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import ImageError

HDF5_ENDINGS = (".h5", ".hdf5")
PARQUET_ENDING = ".parquet"

IMAGE_COLUMNS = ("image", "img", "pixel_values")
"""Names of the column that holds images, in a Parquet file; bytes, or a struct with `bytes`."""


def read_array_row(path: Path, array: str, row: int) -> npt.NDArray[np.uint8]:
    """Read one image of an HDF5 array.

    Args:
        path: The file.
        array: Name of the array: (N, H, W), (N, H, W, 3 or 1), or (N, H·H) for square images.
        row: Position, from 0.

    Returns:
        uint8, (H, W) gray or (H, W, 3) in the channel order of the file.

    Raises:
        ImageError: The file, the array or the row can't be read, or holds no image.
    """
    import h5py  # noqa: PLC0415 - few data sets come as HDF5

    try:
        with h5py.File(path, "r") as file:
            values = np.asarray(file[array][row])
    except FileNotFoundError:
        raise ImageError("file is missing") from None
    except (OSError, KeyError, ValueError, IndexError, TypeError) as error:
        raise ImageError(f"row can't be read: {error}") from None
    return _as_image(values)


def read_parquet_row(path: Path, row: int) -> bytes:
    """Read the encoded image of one row of a Parquet file.

    Args:
        path: The file; a column of `IMAGE_COLUMNS` holds bytes or a struct with `bytes`.
        row: Position in the file, from 0.

    Raises:
        ImageError: The file or the row can't be read, or holds no bytes.
    """
    try:
        status = path.stat()
        starts, column = _table(path, status.st_mtime_ns, status.st_size)
        group = int(np.searchsorted(starts, row, side="right")) - 1
        if row >= starts[-1]:
            raise ImageError(f"row is missing: {row}; the file has {starts[-1]}")
        values = _group(path, status.st_mtime_ns, status.st_size, group, column)
    except FileNotFoundError:
        raise ImageError("file is missing") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"row can't be read: {error}") from None
    value = values[row - int(starts[group])].as_py()
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes) or not data:
        raise ImageError("row holds no image bytes")
    return data


def _as_image(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return pixels as an image, whole numbers from 0 to 255 or fractions of 1."""
    if values.ndim == 1:
        side = math.isqrt(values.size)
        if side * side != values.size or not side:
            raise ImageError(f"malformed pixels: {values.size} numbers make no square image")
        values = values.reshape(side, side)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 and not (values.ndim == 3 and values.shape[2] == 3):
        raise ImageError(f"malformed pixels: shape {values.shape} is no image")
    if not np.issubdtype(values.dtype, np.number) or not np.isfinite(values).all():
        raise ImageError("malformed pixels: expected finite numbers")
    if values.min() < 0 or values.max() > 255:
        raise ImageError("malformed pixels: a number outside 0–255")
    if np.issubdtype(values.dtype, np.floating) and values.max() <= 1:
        values = np.rint(values * 255)
    return values.astype(np.uint8)


@lru_cache(maxsize=8)
def _table(path: Path, _modified: int, _size: int) -> tuple[npt.NDArray[np.int64], str]:
    """Return where each row group begins, the number of rows, and the image column's name."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - loaded where there are such files

    with pq.ParquetFile(path) as file:
        rows = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
        names = file.schema_arrow.names
    column = next((name for name in IMAGE_COLUMNS if name in names), None)
    if column is None:
        raise ImageError(f"no column of images; the columns are {', '.join(names)}")
    return np.concatenate([[0], np.cumsum(rows)]).astype(np.int64), column


@lru_cache(maxsize=4)
def _group(path: Path, _modified: int, _size: int, group: int, column: str) -> Any:
    """Return the image column of one row group; those read last are kept."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, columns=[column]).column(0)
