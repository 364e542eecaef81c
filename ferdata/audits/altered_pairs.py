"""Searching pairs of rows that show one image. The only place that knows how they are found.

Where `ferdata.curation.altered_copies` is there, images are compared after alignment. Else altered
copies are found by the perceptual hash, also of the mirror image: flipped, brighter, noisy,
blurred, resized and saved again, but neither rotated nor cropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.audits.columns import Codes, Mask, encode, encode_together, is_source
from ferdata.audits.copy_pairs import ALTERED, EQUAL, MIRRORED, CopyPairs
from ferdata.audits.images import ImagePlaces, Load
from ferdata.core.parallel import default_workers, open_executor, run_in_order
from ferdata.core.perceptual import (
    BITS,
    NEAR_THRESHOLD,
    decode_hashes,
    equal_pairs,
    near_pairs,
    perceptual_hash,
)
from ferdata.core.progress import progress_bar
from ferdata.curation.groups import SEQUENCE
from ferdata.faces.face_rows import usable_points

_SEARCH = "ferdata.curation.altered_copies"

_ROWS = 128  # of a task
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
    """Find the pairs of source rows by their images.

    Args:
        table: The rows of a manifest.
        places: Where their images are.
        workers: Number of processes; None for one per core where that pays.
        quiet: Show no progress.
    """
    rows = np.flatnonzero(is_source(table))
    if workers is None:
        workers = max(1, min(default_workers(), len(rows) // _WORTH))
    if find_spec(_SEARCH) is not None:
        return _by_pixels(table, rows, places, workers, quiet=quiet)
    return _by_hash(table, rows, places, workers, quiet=quiet)


def _by_pixels(
    table: pa.Table, rows: Codes, places: ImagePlaces, workers: int, *, quiet: bool
) -> CopyPairs:
    """Compare images after alignment; frames of one sequence are left out by the search."""
    search = import_module(_SEARCH)
    five = usable_points(table).astype(np.float64)
    five[[place is None for place in places.files]] = np.nan  # as stored, points are elsewhere
    known = np.asarray(np.isfinite(five.reshape(-1, 10)).all(axis=1))
    sequence = encode_together(table, *SEQUENCE)
    names = table.column("sample_id").to_pylist()
    sources = [
        search.ImageSource(
            name=names[row],
            load=places.loads[row],
            five_points=five[row] if known[row] else None,
            sequence=None if sequence[row] < 0 else str(sequence[row]),
        )
        for row in rows.tolist()
    ]
    found = search.find_altered_copies(sources, workers=workers, quiet=quiet).pairs
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


def _by_hash(
    table: pa.Table, rows: Codes, places: ImagePlaces, workers: int, *, quiet: bool
) -> CopyPairs:
    """Compare perceptual hashes of images and of their mirror images."""
    loads = places.take(rows).loads
    tasks = [loads[at : at + _ROWS] for at in range(0, len(loads), _ROWS)]
    hashes: list[tuple[str, str]] = []
    with (
        progress_bar("comparing images", len(rows), quiet=quiet) as bar,
        open_executor("processes", workers) as executor,
    ):
        for each in run_in_order(executor, _hash, tasks, ahead=2 * workers + 1):
            hashes += each
            bar.update(len(each))
    upright, mirrored = (decode_hashes([each[k] for each in hashes]) for k in (0, 1))
    found = _near(rows, np.concatenate((upright, mirrored)))
    return (_equal(table) or CopyPairs.none()).join(_other_pixels(table, found))


def _hash(task: Sequence[Load]) -> list[tuple[str, str]]:
    """Hash images and their mirror images."""
    found = []
    for load in task:
        pixels = np.ascontiguousarray(load())
        mirrored = np.ascontiguousarray(pixels[:, ::-1])
        found.append((perceptual_hash(pixels), perceptual_hash(mirrored)))
    return found


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
    """Return the pairs whose hashes are near, those of mirror images among them.

    Args:
        rows: The rows that were hashed, (n,).
        hashes: Of the images, and perhaps of their mirror images after them, (n, 4) or (2n, 4).
    """
    n = len(rows)
    pairs, bits = near_pairs(hashes, NEAR_THRESHOLD)
    first, second = pairs.T
    upright: Mask = second < n
    kept = upright | ((first < n) & (second >= n) & (first != second - n))
    kinds = np.where(upright, ALTERED, MIRRORED)[kept].astype(object)
    positions = np.column_stack((first, np.where(upright, second, second - n)))[kept]
    seen = np.empty(len(kinds), object)
    seen[:] = [
        f"{kind}, {each} of {BITS} bits differ"
        for kind, each in zip(kinds, bits[kept], strict=True)
    ]
    return CopyPairs(np.sort(rows[positions], axis=1), kinds, seen, bits[kept].astype(float))
