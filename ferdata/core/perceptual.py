"""Perceptual hashes, which stay (nearly) the same when an image is resized or saved again.

The hash is the DCT hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash
Functions" (2010), with 256 bits instead of 64: all face crops have eyes above a mouth, and 64 bits
encode little more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.images import BLANK_DEVIATION

HASH_NAME = "dct256/1"
"""Name and version of the hash: hashes of different versions can't be compared."""

BITS = 256

NEAR_THRESHOLD = 12
"""Bits of 256 in which the hashes of two copies of an image may differ, by default.

Measured on synthetic faces (`ferdata.synth`), as the percentage of copies within 12 bits at 100 and
at 48 pixels: JPEG of quality 75 and better 100 % and 90 %, of quality 50 99 % and 72 %; resized to
96, to 224, or to 48 and back 98 % or more; brightness ±10 % and gray 100 %. The one real image
(scikit-image's astronaut) stays within 8 bits in all of these. Different images: of 8 million pairs
of synthetic faces at 48 pixels the nearest differ in 26 bits, half of them in 120 or more; other
images of one synthetic subject in 38 or more; a shift by one pixel of 100 changes 20. Neighboring
frames of a sequence, in which only the expression moves, can be nearer: some differ in 2 bits.
Half of all bits are set, so distances are even numbers.
"""

MAX_THRESHOLD = 15
"""Largest threshold of `near_pairs`; at 15, bands have 16 bits, so buckets stay small."""

_SIDE = 64  # pixels a side before the transform; fewer lose more to resizing

_CANDIDATES = 1 << 20  # pairs compared at a time: 32 MB of hashes

_BLOCK = 1 << 16  # rows unpacked at a time: 16 MB of bits


def perceptual_hash(pixels: npt.NDArray[np.uint8]) -> str:
    """Hash the content of an image.

    The image is converted to gray, averaged down to 64×64, and transformed (discrete cosine
    transform). Each of the 256 lowest frequencies without the constant one, in order of their sum,
    gives a bit: whether it is above the median of all. The cosines are rounded to 12 bits, so that
    every sum is an integer that a double represents exactly, and all machines agree.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).

    Returns:
        64 hexadecimal characters; all zeros for an image without structure, with a standard
        deviation below `BLANK_DEVIATION` gray levels: it has no near-duplicates, see `near_pairs`.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    if float(cv2.meanStdDev(small)[1][0, 0]) < BLANK_DEVIATION:
        return "0" * (BITS // 4)
    spectrum = _COSINES @ small.astype(np.float64) @ _COSINES.T
    lowest = spectrum[_LOWEST]
    ordered = np.sort(lowest)
    median = (ordered[BITS // 2 - 1] + ordered[BITS // 2]) / 2
    return np.packbits(lowest > median).tobytes().hex()


def decode_hashes(column: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Decode hexadecimal hashes to 64-bit words.

    Args:
        column: Hashes as `perceptual_hash` returns them.

    Returns:
        uint64, shape (N, 4); the first character is in the highest bits of the first word.

    Raises:
        ManifestError: A string is not a hash of 256 bits.
    """
    if not all(len(text) == BITS // 4 for text in column):
        wrong = next(text for text in column if len(text) != BITS // 4)
        raise ManifestError(f"not a perceptual hash of 64 hexadecimal characters: {wrong!r}")
    try:
        data = bytes.fromhex("".join(column))
    except ValueError as error:
        raise ManifestError(f"not a perceptual hash: {error}") from None
    return np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, BITS // 64)


def distances(
    first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """Count the bits in which hashes differ.

    Args:
        first: uint64, shape (..., 4).
        second: uint64, of a shape that broadcasts with it.

    Returns:
        int64, shape (...).
    """
    return np.asarray(np.bitwise_count(first ^ second).sum(axis=-1, dtype=np.int64))


def near_pairs(
    hashes: npt.NDArray[np.uint64], threshold: int = NEAR_THRESHOLD
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find all pairs of hashes that differ in at most `threshold` bits.

    Exact, by the pigeonhole principle: the bits are divided into `threshold + 1` bands, so that two
    hashes within the threshold agree in at least one band, and only such pairs are compared. Rows
    with equal hashes are chained (first with second, second with third), and only the first is
    paired with other hashes; connected components are the same as with all pairs. The hash of
    images without structure (all zeros) is near nothing, not even itself.

    Args:
        hashes: uint64, shape (N, 4).
        threshold: 0 to `MAX_THRESHOLD` bits.

    Returns:
        Row numbers, int64, shape (M, 2), the smaller one first, sorted; and the distance of each
        pair in bits, int64, shape (M,).

    Raises:
        OptionError: The threshold is out of range.
    """
    require_threshold(threshold)
    rows = np.flatnonzero(hashes.any(axis=1))
    distinct, first, group = np.unique(hashes[rows], axis=0, return_index=True, return_inverse=True)
    chains = equal_pairs(group.reshape(-1))
    found = [rows[chains]]
    distance = [np.zeros(len(chains), np.int64)]
    if threshold:
        keys = _band_keys(distinct, max(threshold + 1, BITS // 64))
        for band in range(len(keys)):
            pairs, bits = _near_in_band(distinct, keys, band, threshold)
            found.append(np.sort(rows[first[pairs]], axis=1))
            distance.append(bits)
    pairs, bits = np.concatenate(found), np.concatenate(distance)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], bits[order]


def equal_pairs(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Chain the rows of equal codes: the first with the second, the second with the third.

    Args:
        codes: int64, shape (N,); rows with a negative code are in no pair.

    Returns:
        Row numbers, int64, shape (M, 2).
    """
    order = np.argsort(codes, kind="stable")
    before, after = order[:-1], order[1:]
    same = (codes[before] == codes[after]) & (codes[before] >= 0)
    return np.column_stack((before[same], after[same]))


def require_threshold(threshold: int) -> None:
    """Check a threshold of `near_pairs`.

    Raises:
        OptionError: It is not a whole number from 0 to `MAX_THRESHOLD`.
    """
    if not isinstance(threshold, int) or not 0 <= threshold <= MAX_THRESHOLD:
        raise OptionError(
            f"near-duplicates: a threshold is 0 to {MAX_THRESHOLD} of {BITS} bits; got {threshold}"
        )


def _cosines(frequencies: int) -> npt.NDArray[np.float64]:
    """Return the basis of the DCT-II in whole numbers, shape (frequencies, _SIDE)."""
    frequency = np.arange(frequencies)[:, None]
    angle = (2 * np.arange(_SIDE) + 1) * frequency * np.pi / (2 * _SIDE)
    # 12 bits: |spectrum| < 255 · (64 · 2^12)^2 = 2^44, and a double is exact below 2^53.
    return np.asarray(np.round(np.cos(angle) * 2**12))


def _lowest(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and columns of the lowest frequencies without the constant one."""
    down, across = np.indices((_SIDE, _SIDE)).reshape(2, -1)
    order = np.lexsort((down, np.minimum(down, across), down + across))[1 : count + 1]
    return down[order], across[order]


_LOWEST = _lowest(BITS)
_COSINES = _cosines(int(max(_LOWEST[0].max(), _LOWEST[1].max())) + 1)


def _band_keys(hashes: npt.NDArray[np.uint64], bands: int) -> npt.NDArray[np.uint64]:
    """Return the bits of each band, shape (bands, N); neighboring frequencies never share one."""
    keys = np.zeros((bands, len(hashes)), np.uint64)
    for start in range(0, len(hashes), _BLOCK):
        block = hashes[start : start + _BLOCK].astype(">u8")
        bits = np.unpackbits(block.view(np.uint8), axis=1)
        for band in range(bands):
            packed = np.packbits(bits[:, band::bands], axis=1)
            words = np.zeros((len(block), 8), np.uint8)
            words[:, : packed.shape[1]] = packed
            keys[band, start : start + len(block)] = words.view(np.uint64).reshape(-1)
    return keys


def _near_in_band(
    hashes: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64], band: int, threshold: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the near pairs whose first equal band is this one, and their distances."""
    order = np.argsort(keys[band], kind="stable")
    ordered = keys[band][order]
    ends = np.searchsorted(ordered, ordered, side="right")
    partners = ends - np.arange(len(order)) - 1  # each row is compared with the rest of its bucket
    found = [np.empty((0, 2), np.int64)]
    distance = [np.empty(0, np.int64)]
    for start, stop in _blocks(partners):
        left = np.repeat(np.arange(start, stop), partners[start:stop])
        before = np.cumsum(partners[start:stop]) - partners[start:stop]
        right = left + 1 + np.arange(len(left)) - np.repeat(before, partners[start:stop])
        pairs = order[np.column_stack((left, right))]
        bits = distances(hashes[pairs[:, 0]], hashes[pairs[:, 1]])
        near = bits <= threshold
        pairs, bits = pairs[near], bits[near]
        known = (keys[:band, pairs[:, 0]] == keys[:band, pairs[:, 1]]).any(axis=0)
        found.append(pairs[~known])
        distance.append(bits[~known])
    return np.concatenate(found), np.concatenate(distance)


def _blocks(partners: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Divide rows into ranges with about `_CANDIDATES` partners, however large a bucket is."""
    total = np.cumsum(partners)
    limits = np.arange(_CANDIDATES, int(partners.sum()) + _CANDIDATES, _CANDIDATES)
    stops = np.unique(np.searchsorted(total, limits, side="right"))
    edges = [0, *(int(stop) for stop in stops), len(partners)]
    return [(a, b) for a, b in pairwise(edges) if a < b]
