"""Searching pairs of rows that show one image. The only place that knows how they are found.

Images are compared after alignment, see `ferdata.curation.altered_copies`; rows whose images are
not at hand by the hashes of their manifest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.audits.columns import Codes, encode, encode_together, is_source
from ferdata.audits.copy_pairs import ALTERED, EQUAL, MIRRORED, CopyPairs
from ferdata.audits.images import ImagePlaces
from ferdata.core.parallel import default_workers
from ferdata.core.perceptual import (
    BITS,
    NEAR_THRESHOLD,
    decode_hashes,
    equal_pairs,
    near_pairs,
)
from ferdata.curation.altered_copies import ImageSource, find_altered_copies
from ferdata.curation.groups import SEQUENCE
from ferdata.faces.face_rows import usable_points

_WORTH = 2000  # images from which starting another process pays


def pairs_by_hash(table: pa.Table) -> CopyPairs | None:
    """Find the pairs of source rows by the hashes in a manifest; None if it has none.

    Rows of equal pixels are chained: the first with the second, the second with the third.
    """
    equal = _equal(table)
    column = table.column("perceptual_hash")
    if column.null_count == len(column):
        return equal
    rows = np.flatnonzero(is_source(table))
    texts = pc.fill_null(column.take(rows), "0" * (BITS // 4)).to_pylist()
    found = _near(rows, decode_hashes(texts))
    return found if equal is None else equal.join(_other_pixels(table, found))


def find_pairs(
    table: pa.Table, places: ImagePlaces, *, workers: int | None, quiet: bool
) -> CopyPairs:
    """Find the pairs of source rows by their images; frames of one sequence are left out.

    Args:
        table: The rows of a manifest.
        places: Where their images are.
        workers: Number of processes; None for one per core where that pays.
        quiet: Show no progress.
    """
    rows = np.flatnonzero(is_source(table))
    if workers is None:
        workers = max(1, min(default_workers(), len(rows) // _WORTH))
    five = usable_points(table).astype(np.float64)
    five[[place is None for place in places.files]] = np.nan  # as stored, points are elsewhere
    known = np.asarray(np.isfinite(five.reshape(-1, 10)).all(axis=1))
    sequence = encode_together(table, *SEQUENCE)
    names = table.column("sample_id").to_pylist()
    sources = [
        ImageSource(
            name=names[row],
            load=places.loads[row],
            five_points=five[row] if known[row] else None,
            sequence=None if sequence[row] < 0 else str(sequence[row]),
        )
        for row in rows.tolist()
    ]
    found = find_altered_copies(sources, workers=workers, quiet=quiet).pairs
    positions = np.array([(each.first, each.second) for each in found], np.int64).reshape(-1, 2)
    kinds, seen = np.empty(len(found), object), np.empty(len(found), object)
    kinds[:] = [_kind(each.kind, mirrored=each.mirrored) for each in found]
    seen[:] = [
        _words(kind, each.changes, each.score) for kind, each in zip(kinds, found, strict=True)
    ]
    score = np.array([each.score for each in found], np.float64)
    return CopyPairs(np.sort(rows[positions], axis=1), kinds, seen, -score)


def _kind(kind: str, *, mirrored: bool) -> str:
    if kind == "exact":
        return EQUAL
    return MIRRORED if mirrored else ALTERED


def _words(kind: str, changes: Sequence[str], score: float) -> str:
    """Say what was seen on a pair."""
    return kind if kind == EQUAL else f"{kind}: {', '.join(changes)}; {score:.2f} alike"


def _pixel_codes(table: pa.Table) -> Codes:
    codes, _ = encode(table.column("pixel_sha256"))
    return np.where(is_source(table), codes, -1)


def _equal(table: pa.Table) -> CopyPairs | None:
    """Return the pairs of equal pixels; None where no hash of pixels is known."""
    codes = _pixel_codes(table)
    return CopyPairs.of_kind(equal_pairs(codes), EQUAL) if (codes >= 0).any() else None


def _other_pixels(table: pa.Table, pairs: CopyPairs) -> CopyPairs:
    """Leave out pairs of equal pixels."""
    codes = _pixel_codes(table)
    first, second = pairs.rows.T
    return pairs.take((codes[first] < 0) | (codes[first] != codes[second]))


def _near(rows: Codes, hashes: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> CopyPairs:
    """Return the pairs whose hashes are near.

    Args:
        rows: The rows that were hashed, (n,).
        hashes: Their hashes, (n, 4).
    """
    positions, bits = near_pairs(hashes, NEAR_THRESHOLD)
    kinds, seen = np.full(len(positions), ALTERED, object), np.empty(len(positions), object)
    seen[:] = [f"{ALTERED}, {each} of {BITS} bits differ" for each in bits]
    return CopyPairs(np.sort(rows[positions], axis=1), kinds, seen, bits.astype(float))
