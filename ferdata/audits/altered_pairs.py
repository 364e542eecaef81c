"""Pairs of rows that show one image, equal in every pixel or altered, by hashes.

Until images are compared after alignment, altered copies are found by the perceptual hash, also of
the mirror image: flipped, brighter, noisy, blurred, resized and saved again, but neither rotated
nor cropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ferdata.core.perceptual import NEAR_THRESHOLD, decode_hashes, equal_pairs, near_pairs

if TYPE_CHECKING:
    from ferdata.audits.subject import AuditSubject

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


def find_pairs(subject: AuditSubject) -> CopyPairs:
    """Find the pairs of source rows that show one image.

    Rows of equal pixels are chained: the first with the second, the second with the third.
    """
    hashes = subject.table.column("pixel_sha256")
    known = pc.if_else(pc.is_null(subject.table.column("parent_id")), hashes, None)
    codes = pc.fill_null(pc.dictionary_encode(known.combine_chunks()).indices, -1).to_numpy()
    equal = CopyPairs.of_kind(equal_pairs(codes.astype(np.int64)), EQUAL)
    return equal.join(_altered(subject, codes))


def _altered(subject: AuditSubject, codes: npt.NDArray[Any]) -> CopyPairs:
    upright, mirrored = _hashes(subject)
    if upright is None:
        return CopyPairs.none()
    rows = np.flatnonzero(subject.sources)
    n = len(rows)
    both = upright[rows] if mirrored is None else np.concatenate((upright[rows], mirrored[rows]))
    pairs, bits = near_pairs(both, NEAR_THRESHOLD)
    first, second = pairs.T
    upright_pair = second < n
    mirror_pair = (first < n) & (second >= n) & (first != second - n)
    kept = upright_pair | mirror_pair
    kinds = np.where(upright_pair, ALTERED, MIRRORED)[kept].astype(object)
    positions = np.column_stack((first, np.where(upright_pair, second, second - n)))[kept]
    found = CopyPairs(np.sort(rows[positions], axis=1), kinds, bits[kept])
    one, other = (codes[found.rows[:, k]] for k in (0, 1))
    return found.take((one < 0) | (one != other))


def _hashes(
    subject: AuditSubject,
) -> tuple[npt.NDArray[np.uint64] | None, npt.NDArray[np.uint64] | None]:
    """Return the hashes of all rows and of their mirror images; None where they are unknown."""
    if subject.measures is not None:
        return subject.measures.upright, subject.measures.mirrored
    column = subject.table.column("perceptual_hash")
    if column.null_count == len(column):
        return None, None
    return decode_hashes(pc.fill_null(column, "0" * 64).to_pylist()), None
