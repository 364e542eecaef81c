"""The nearest images by perceptual hash."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.perceptual import decode_hashes, distances
from ferdata.viewer.rows import Rows

NEAREST = 12
"""Neighbors shown."""


class Neighbors:
    """Finds the source images that look most like one, by comparing the hashes of all.

    Args:
        rows: The rows.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @cached_property
    def _hashed(self) -> npt.NDArray[np.int64]:
        """The source images with a hash; that of an image without structure says nothing."""
        column = self._rows.table["perceptual_hash"]
        known = pc.fill_null(pc.not_equal(column, "0" * 64), False).to_numpy()
        return np.flatnonzero(known & ~self._rows.is_copy)

    @cached_property
    def _hashes(self) -> npt.NDArray[np.uint64]:
        column = self._rows.table["perceptual_hash"].take(pa.array(self._hashed))
        return decode_hashes(column.to_pylist())

    def nearest(self, row: int, count: int = NEAREST) -> list[tuple[int, int]]:
        """Return the rows that are most alike, and in how many of 256 bits their hashes differ.

        Args:
            row: A source image, or a copy, which stands for its source.
            count: Number of neighbors.

        Returns:
            The nearest first, of equals that of the lower row; empty if the image has no hash.
        """
        text = self._rows.table["perceptual_hash"][row].as_py()
        if text is None or not text.strip("0") or not len(self._hashed):
            return []
        bits = distances(self._hashes, decode_hashes([text])).astype(np.int16)
        order = np.argsort(bits, kind="stable")[: count + 1]
        family = set(self._rows.family(row))
        near = [(int(self._hashed[k]), int(bits[k])) for k in order]
        return [each for each in near if each[0] not in family][:count]
