"""Connected components of rows that are linked in pairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def components(rows: int, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Find out which rows hang together.

    Args:
        rows: Number of rows.
        pairs: Linked row numbers, int64, shape (M, 2).

    Returns:
        For each row the smallest row number of its component, int64, shape (rows,).
    """
    smallest = np.arange(rows)
    first, second = pairs.T
    while True:
        # The smallest row of each side takes over the other side's, then all rows look it up.
        low = np.minimum(smallest[first], smallest[second])
        np.minimum.at(smallest, smallest[first], low)
        np.minimum.at(smallest, smallest[second], low)
        while not np.array_equal(beyond := smallest[smallest], smallest):
            smallest = beyond
        if np.array_equal(smallest[first], smallest[second]):
            return smallest


def chain(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Link rows with equal codes, each to the next.

    Args:
        codes: int64, shape (N,); a negative code links nothing.

    Returns:
        Linked row numbers, int64, shape (M, 2).
    """
    order = np.argsort(codes, kind="stable")
    before, after = order[:-1], order[1:]
    same = (codes[before] == codes[after]) & (codes[before] >= 0)
    return np.column_stack((before[same], after[same]))
