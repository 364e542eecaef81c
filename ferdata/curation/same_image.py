"""Pictures: which rows show one, although they are several files.

Rows show one picture when their decoded pixels are equal or, where a threshold is given, when their
perceptual hashes are near each other. Links add up: if A is near B and B is near C, then all three
are one picture, also where A and C are further apart than the threshold.
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
from ferdata.core.perceptual import BITS, decode_hashes, near_pairs, require_threshold
from ferdata.curation.components import chain, components

logger = logging.getLogger(__name__)

_SUSPICIOUS_ROWS, _SUSPICIOUS_SHARE = 50, 0.05
"""A near cluster of more rows than both is no picture that was copied often."""


@dataclass(frozen=True)
class Pictures:
    """The picture of each row.

    Attributes:
        number: Equal for rows that show one picture, int64, shape (N,).
        apart: The largest distance, in bits, of two linked rows of the picture; −1 where all of its
            rows have equal pixels. int64, shape (N,).
        near: The threshold in bits; None for equal pixels only.
    """

    number: npt.NDArray[np.int64]
    apart: npt.NDArray[np.int64]
    near: int | None

    def keep(self, mask: npt.NDArray[np.bool_]) -> Pictures:
        """Return the pictures of the masked rows; what was one picture stays one.

        Args:
            mask: True for each row that stays, shape (N,).
        """
        return Pictures(self.number[mask], self.apart[mask], self.near)


def find_pictures(manifest: Manifest, near: int | None = None) -> Pictures:
    """Find rows that show one picture.

    Args:
        manifest: Rows; those without a pixel hash and augmented copies are linked to nothing.
        near: Link rows whose perceptual hashes differ in at most this many of 256 bits, too.

    Raises:
        OptionError: `near` is out of range.
        ManifestError: With `near`: a source image has no perceptual hash, or one that is none.
    """
    table = manifest.table
    source = pc.is_null(table.column("parent_id"))
    pixels = _codes(pc.if_else(source, table.column("pixel_sha256"), None))
    pairs = chain(pixels)
    apart = np.full(len(manifest), -1)
    if near is None:
        return Pictures(components(len(manifest), pairs), apart, None)
    links, bits = _near_links(table, source, near)
    number = components(len(manifest), np.concatenate((pairs, links)))
    differ = pixels[links[:, 0]] != pixels[links[:, 1]]
    np.maximum.at(apart, number[links[differ, 0]], bits[differ])
    pictures = Pictures(number, apart[number], near)
    _warn_of_a_wrong_threshold(pictures)
    return pictures


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Number the values of a column, −1 for null."""
    indices = pc.dictionary_encode(column).combine_chunks().indices
    return np.asarray(pc.fill_null(indices, -1).to_numpy(zero_copy_only=False), np.int64)


def _near_links(
    table: pa.Table, source: pa.ChunkedArray, near: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    require_threshold(near)
    rows = np.flatnonzero(source.to_numpy())
    hashes = table.column("perceptual_hash").take(pa.array(rows))
    if hashes.null_count:
        lost = rows[pc.is_null(hashes).to_numpy()][0]
        raise ManifestError(
            f"{hashes.null_count} rows have no perceptual hash (for instance "
            f"{table.column('sample_id')[int(lost)].as_py()!r}); run "
            "ferdata.faces.locate.locate_faces with FaceOptions(perceptual_hash=True) before "
            "looking for near duplicates"
        )
    links, bits = near_pairs(decode_hashes(hashes.to_pylist()), near)
    return rows[links], bits


def _warn_of_a_wrong_threshold(pictures: Pictures) -> None:
    """Say when so many rows hang together that they can't be one picture."""
    sizes = np.bincount(pictures.number[pictures.apart >= 0], minlength=1)
    largest, rows = int(sizes.max()), len(pictures.number)
    if largest > _SUSPICIOUS_ROWS and largest > _SUSPICIOUS_SHARE * rows:
        logger.warning(
            "near duplicates: %d of %d rows hang together as one picture. They are linked by up to "
            "%d of %d bits; %d bits are too many for these images, take a smaller threshold",
            largest,
            rows,
            int(pictures.apart[pictures.number == sizes.argmax()].max()),
            BITS,
            pictures.near,
        )
