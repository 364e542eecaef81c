"""Hashing Arrow arrays by their values, whatever their chunks and buffers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def hash_array(digest: Any, array: Any) -> None:
    """Feed an Arrow array to a hash: which values are null, then the values themselves."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    valid = pc.is_valid(array).to_numpy(zero_copy_only=False)
    digest.update(np.packbits(valid).tobytes())
    kept = array.drop_null()
    if pa.types.is_fixed_size_list(kept.type):
        hash_array(digest, kept.flatten())
    elif pa.types.is_list(kept.type):
        digest.update(pc.list_value_length(kept).to_numpy(zero_copy_only=False).tobytes())
        hash_array(digest, kept.flatten())
    elif pa.types.is_string(kept.type):
        digest.update(pc.binary_length(kept).to_numpy(zero_copy_only=False).tobytes())
        for text in kept.to_pylist():
            digest.update(text.encode())
    else:
        digest.update(kept.to_numpy(zero_copy_only=False).tobytes())
