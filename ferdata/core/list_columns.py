"""Columns of fixed-size lists, such as points and boxes, as plain arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def vectors(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    """Lay a column of fixed-size lists out.

    Returns:
        float32 (N, width of the lists), NaN where null.
    """
    width = column.type.list_size
    valid = pc.is_valid(column).to_numpy()
    values = np.full((len(column), width), np.nan, dtype=np.float32)
    values[valid] = column.drop_null().combine_chunks().flatten().to_numpy().reshape(-1, width)
    return values
