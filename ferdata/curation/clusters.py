"""Duplicate clusters: which rows hold the same image.

Two rows are linked if their decoded pixels are equal or, given a threshold, if their perceptual
hashes are near each other. A cluster is a connected component of these links: if A is near B and B
is near C, all three are in one cluster, even if A and C differ in more bits than the threshold.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError
from ferdata.core.manifest import Manifest
from ferdata.core.perceptual import (
    BITS,
    decode_hashes,
    equal_pairs,
    near_pairs,
    require_threshold,
)

logger = logging.getLogger(__name__)

_SUSPICIOUS_ROWS, _SUSPICIOUS_FRACTION = 50, 0.05
"""A near-duplicate cluster of more rows than both is not an image that was copied often."""


@dataclass(frozen=True)
class RowClusters:
    """The duplicate cluster of each row.

    Attributes:
        number: Equal for the rows of one cluster, int64, shape (N,).
        bits: The largest number of bits in which two linked rows of the cluster differ; −1 if all
            of its rows have equal pixels. int64, shape (N,).
        near: The threshold in bits; None if only equal pixels were linked.
    """

    number: npt.NDArray[np.int64]
    bits: npt.NDArray[np.int64]
    near: int | None

    def filter(self, mask: npt.NDArray[np.bool_]) -> RowClusters:
        """Return the clusters of the rows that a mask of shape (N,) keeps.

        Rows stay in one cluster even if the rows that linked them are dropped.
        """
        return RowClusters(self.number[mask], self.bits[mask], self.near)


def find_clusters(manifest: Manifest, near: int | None = None) -> RowClusters:
    """Find the rows that hold the same image.

    Args:
        manifest: Rows; augmented copies and rows without a pixel hash are linked to nothing.
        near: Also link rows whose perceptual hashes differ in at most this many of 256 bits.

    Raises:
        OptionError: `near` is out of range.
        ManifestError: With `near`: a source image has no valid perceptual hash.
    """
    table = manifest.table
    source = pc.is_null(table.column("parent_id"))
    pixels = _codes(pc.if_else(source, table.column("pixel_sha256"), None))
    pairs = equal_pairs(pixels)
    bits = np.full(len(manifest), -1)
    if near is None:
        return RowClusters(connected_components(len(manifest), pairs), bits, None)
    near_links, distance = _near_links(table, source, near)
    number = connected_components(len(manifest), np.concatenate((pairs, near_links)))
    differ = pixels[near_links[:, 0]] != pixels[near_links[:, 1]]
    np.maximum.at(bits, number[near_links[differ, 0]], distance[differ])
    clusters = RowClusters(number, bits[number], near)
    _warn_of_large_clusters(clusters)
    return clusters


def connected_components(rows: int, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Find the connected components of rows that are linked in pairs.

    Args:
        rows: Number of rows.
        pairs: Linked row numbers, int64, shape (M, 2).

    Returns:
        The smallest row number in the component of each row, int64, shape (rows,).
    """
    smallest = np.arange(rows)
    first, second = pairs.T
    while True:
        # Both ends of each pair take over the smaller number; then every row looks up its own.
        low = np.minimum(smallest[first], smallest[second])
        np.minimum.at(smallest, smallest[first], low)
        np.minimum.at(smallest, smallest[second], low)
        while not np.array_equal(beyond := smallest[smallest], smallest):
            smallest = beyond
        if np.array_equal(smallest[first], smallest[second]):
            return smallest


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Number the distinct values of a column, −1 for null."""
    indices = pc.dictionary_encode(column).combine_chunks().indices
    return np.asarray(pc.fill_null(indices, -1).to_numpy(zero_copy_only=False), np.int64)


def _near_links(
    table: pa.Table, source: pa.ChunkedArray, near: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return near pairs of source rows, shape (M, 2), and their distances in bits."""
    require_threshold(near)
    rows = np.flatnonzero(source.to_numpy())
    hashes = table.column("perceptual_hash").take(pa.array(rows))
    if hashes.null_count:
        missing = rows[pc.is_null(hashes).to_numpy()][0]
        raise ManifestError(
            f"{hashes.null_count} rows have no perceptual hash (for instance "
            f"{table.column('sample_id')[int(missing)].as_py()!r}); run "
            "ferdata.faces.locate.locate_faces with FaceOptions(perceptual_hash=True) before "
            "looking for near-duplicates"
        )
    pairs, distance = near_pairs(decode_hashes(hashes.to_pylist()), near)
    return rows[pairs], distance


def _warn_of_large_clusters(clusters: RowClusters) -> None:
    """Warn if so many rows form one near-duplicate cluster that the threshold must be wrong."""
    sizes = np.bincount(clusters.number[clusters.bits >= 0], minlength=1)
    largest, rows = int(sizes.max()), len(clusters.number)
    if largest > _SUSPICIOUS_ROWS and largest > _SUSPICIOUS_FRACTION * rows:
        logger.warning(
            "near-duplicates: %d of %d rows form one cluster, linked by differences of up to %d of "
            "%d bits; a threshold of %d bits is too large for these images: use a smaller one",
            largest, rows, int(clusters.bits[clusters.number == sizes.argmax()].max()), BITS,
            clusters.near,
        )  # fmt: skip
