"""Columns of a manifest's table as numbers, without a Python object per row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def encode(column: pa.ChunkedArray) -> tuple[Codes, list[Any]]:
    """Number the distinct values of a column.

    Returns:
        The number of each row's value, −1 for null, int64 (N,), and the values.
    """
    encoded = pc.dictionary_encode(column.combine_chunks())
    indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return np.asarray(indices, np.int64), encoded.dictionary.to_pylist()


def encode_together(table: pa.Table, *names: str) -> Codes:
    """Number the distinct values of several columns together; −1 where the last is null, (N,)."""
    number = np.zeros(len(table), np.int64)
    for name in names:
        indices, values = encode(table.column(name))
        both = number * (len(values) + 1) + indices + 1
        number = np.unique(both, return_inverse=True)[1].reshape(-1)
    number[pc.is_null(table.column(names[-1])).to_numpy()] = -1
    return np.asarray(number, np.int64)


def is_source(table: pa.Table) -> Mask:
    """Tell which rows are no augmented copies made by ferdata, (N,)."""
    return np.asarray(pc.is_null(table.column("parent_id")).to_numpy())
