"""Pairs of rows that show one image, equal in every pixel or altered, by hashes.

Until images are compared after alignment, altered copies are found by the perceptual hash, also of
the mirror image: flipped, brighter, noisy, blurred, resized and saved again, but neither rotated
nor cropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.audits.columns import encode, is_source
from ferdata.audits.image_measures import ImageMeasures
from ferdata.core.perceptual import NEAR_THRESHOLD, decode_hashes, equal_pairs, near_pairs

EQUAL, ALTERED, MIRRORED = "equal", "altered", "mirrored"


@dataclass(frozen=True)
class CopyPairs:
    """M pairs of rows.

    Attributes:
        rows: Row numbers, the smaller first, int64 (M, 2).
        kinds: What the second is to the first, object (M,).
        bits: Bits of 256 in which the hashes differ, int64 (M,); −1 where nothing was compared.
    """

    rows: npt.NDArray[np.int64]
    kinds: npt.NDArray[Any]
    bits: npt.NDArray[np.int64]

    @classmethod
    def of_kind(cls, rows: npt.NDArray[np.int64], kind: str) -> Self:
        """Return pairs of one kind, which were not compared."""
        rows = np.sort(rows.reshape(-1, 2), axis=1)
        return cls(rows, np.full(len(rows), kind, object), np.full(len(rows), -1, np.int64))

    @classmethod
    def none(cls) -> Self:
        """Return no pairs."""
        return cls.of_kind(np.empty((0, 2), np.int64), EQUAL)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: npt.NDArray[Any]) -> Self:
        """Return the pairs of a mask or at positions."""
        return type(self)(self.rows[chosen], self.kinds[chosen], self.bits[chosen])

    def join(self, other: CopyPairs) -> Self:
        """Return these pairs and those of another."""
        return type(self)(
            np.concatenate((self.rows, other.rows)),
            np.concatenate((self.kinds, other.kinds)),
            np.concatenate((self.bits, other.bits)),
        )


def find_pairs(table: pa.Table, measures: ImageMeasures | None) -> CopyPairs:
    """Find the pairs of source rows that show one image.

    Rows of equal pixels are chained: the first with the second, the second with the third.

    Args:
        table: The rows of a manifest.
        measures: What was measured on their images; None to go by the hashes in the table.
    """
    codes, _ = encode(table.column("pixel_sha256"))
    codes = np.where(is_source(table), codes, -1)
    equal = CopyPairs.of_kind(equal_pairs(codes), EQUAL)
    altered = _altered(table, measures)
    first, second = altered.rows.T
    return equal.join(altered.take((codes[first] < 0) | (codes[first] != codes[second])))


def _altered(table: pa.Table, measures: ImageMeasures | None) -> CopyPairs:
    """Compare perceptual hashes, also with those of mirror images where these are known."""
    column = table.column("perceptual_hash")
    if measures is None and column.null_count == len(column):
        return CopyPairs.none()
    rows = np.flatnonzero(is_source(table))
    n = len(rows)
    if measures is None:
        hashes = decode_hashes(pc.fill_null(column, "0" * 64).to_pylist())[rows]
    else:
        hashes = np.concatenate((measures.upright[rows], measures.mirrored[rows]))
    pairs, bits = near_pairs(hashes, NEAR_THRESHOLD)
    first, second = pairs.T
    upright = second < n
    kept = upright | ((first < n) & (second >= n) & (first != second - n))
    kinds = np.where(upright, ALTERED, MIRRORED)[kept].astype(object)
    positions = np.column_stack((first, np.where(upright, second, second - n)))[kept]
    return CopyPairs(np.sort(rows[positions], axis=1), kinds, bits[kept])
