"""Memory for batches that is used again once nobody holds the batch.

A fresh array of two megabytes comes from the kernel page by page, each page zeroed first; with a
thread that makes batches and another that drops them this costs a sixth of the speed. A pool lends
memory that is already there, and takes it back only when the last view of it is gone.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

_Memory = tuple[npt.NDArray[np.uint8], int]  # bytes, and their address: asking for it is slow


class _Lease:
    """Owns memory while arrays refer to it; its end gives the memory back.

    NumPy keeps the object behind `__array_interface__` alive as the base of the array, and every
    view, and every tensor over a view, keeps that array alive. So `__del__` runs when nothing can
    read or write the memory any more, whoever held it and however it was sliced.
    """

    __slots__ = ("__array_interface__", "_free", "_memory")

    def __init__(
        self, memory: _Memory, free: deque[_Memory], shape: tuple[int, ...], typestr: str
    ) -> None:
        self._memory = memory
        self._free = free
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": typestr,
            "data": (memory[1], False),
        }

    def __del__(self) -> None:
        # Appending to a deque is atomic: the last holder may be any thread. A full deque (maxlen)
        # lets go of its oldest piece.
        self._free.append(self._memory)


class BufferPool:
    """Lends arrays over memory that is used again; safe between threads.

    Args:
        keep: Pieces of memory kept while unused.
    """

    def __init__(self, keep: int = 6) -> None:
        self._keep = keep
        self._free: deque[_Memory] = deque(maxlen=keep)

    def __reduce__(self) -> tuple[type[BufferPool], tuple[int]]:
        """Pickle without the memory."""
        return BufferPool, (self._keep,)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return a C-contiguous array with any content that nobody else refers to."""
        size = math.prod(shape) * dtype.itemsize
        try:
            memory = self._free.pop()  # the last one returned is the likeliest in the CPU's cache
        except IndexError:
            memory = _allocate(size)
        if memory[0].nbytes < size:
            memory = _allocate(size)
        return np.asarray(_Lease(memory, self._free, shape, dtype.str))


def _allocate(size: int) -> _Memory:
    memory = np.empty(size, np.uint8)
    return memory, memory.ctypes.data
