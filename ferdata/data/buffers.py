"""Memory for batches that is reused once the batch is no longer referenced.

The kernel provides a new array of two megabytes page by page, each page zeroed first, unless
`malloc` still has the memory. Reusing memory makes a batch 6 % cheaper (15 % if one thread makes
batches and another drops them), but memory that is still in use must never be overwritten.
"""

from __future__ import annotations

import threading
from sys import getrefcount
from typing import Any

import numpy as np
import numpy.typing as npt

_probe = [np.empty(0)]
_UNUSED = getrefcount(_probe[0])
"""Reference count of an array in a list that nothing else refers to."""


class BufferPool(threading.local):
    """Lends arrays of one row shape over reused memory.

    Each thread has its own pool, so that two threads can't find the same array unused, and no lock
    can be held while the process forks. A lent array may be passed to any thread.

    A lent array is a view. NumPy makes the pool's array the base of every view, including views of
    views, and a tensor over a view holds the view; so the reference count of the pool's array tells
    whether its memory is still in use.

    Args:
        shape: Shape of one row.
        dtype: Type of the elements.
        keep: Number of arrays to keep; if all are in use, further ones are allocated and not kept.
    """

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike, keep: int = 6) -> None:
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._keep = keep
        self._arrays: list[npt.NDArray[Any]] = []

    def empty(self, length: int) -> npt.NDArray[Any]:
        """Return a C-contiguous array of arbitrary content that nothing else refers to.

        Args:
            length: Number of rows.
        """
        arrays = self._arrays
        if arrays and len(arrays[0]) < length:
            arrays.clear()  # those in use live on in their views
        for place in range(len(arrays)):
            if getrefcount(arrays[place]) == _UNUSED:
                return arrays[place][:length]
        array = np.empty((length, *self._shape), self._dtype)
        if len(arrays) < self._keep:
            arrays.append(array)
        return array[:]
