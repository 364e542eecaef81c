"""Perceptual hashes: pictures that were saved again or resized keep (nearly) the same one.

The hash is the DCT hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash
Functions" (2010), with 256 bits in place of 64: face crops all have eyes above a
mouth, and 64 bits tell little more than that.
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
"""Bits of 256 that two hashes of one picture may differ in, by default.

Measured on drawn faces (`ferdata.synth`), as the share of copies within 12 bits at 100 and at 48
pixels: JPEG of quality 75 and better 100 % and 90 %, of quality 50 99 % and 72 %; resized to 96, to
224, or to 48 and back 98 % or more; brightness ±10 % and gray 100 %. The one photograph at hand
(scikit-image's astronaut) stays within 8 bits in all of these. Different pictures: of 8 million
pairs of drawn faces at 48 pixels the nearest differ in 26 bits, half of them in 120 or more; other
pictures of one drawn person in 38 or more; a shift by one pixel of 100 makes 20. Nearer than that
come neighbors in a film, where nothing but the expression moves: some differ in 2 bits only.
Half of all bits are set, so distances are even numbers.
"""

MAX_THRESHOLD = 15
"""Largest threshold of `near_pairs`; bands then have 16 bits, and buckets stay small."""

_SIDE = 64  # pixels a side before the transform: smaller ones lose more to resizing

_CANDIDATES = 1 << 20  # pairs looked at in one go: 32 MB of hashes

_BLOCK = 1 << 16  # rows unpacked in one go: 16 MB of bits


def perceptual_hash(pixels: npt.NDArray[np.uint8]) -> str:
    """Hash what a picture shows.

    Gray, averaged down to 64×64, discrete cosine transform; of the 256 lowest frequencies without
    the constant one, in order of their sum, each is a bit: above the median of all or not. The
    transform's cosines are rounded to 12 bits, so that every sum is a whole number that a double
    holds exactly, and no machine rounds another way.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).

    Returns:
        64 hexadecimal characters; all zeros for a picture without structure, that is with a
        standard deviation below `BLANK_DEVIATION` gray levels: it is like no other, see
        `near_pairs`.
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
    """Turn hexadecimal hashes into words.

    Args:
        column: Strings as `perceptual_hash` returns them.

    Returns:
        uint64, shape (N, 4); the first character is in the highest bits of the first word.

    Raises:
        ManifestError: A string is not a hash of 256 bits.
    """
    if not all(len(text) == BITS // 4 for text in column):
        wrong = next(text for text in column if len(text) != BITS // 4)
        raise ManifestError(f"{wrong!r} is not a perceptual hash: 64 hexadecimal characters")
    try:
        data = bytes.fromhex("".join(column))
    except ValueError as error:
        raise ManifestError(f"not a perceptual hash: {error}") from None
    return np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, BITS // 64)


def distances(
    first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """Count the bits that hashes differ in.

    Args:
        first: uint64, shape (..., 4).
        second: Of a shape that broadcasts with it.

    Returns:
        int64, shape (...).
    """
    return np.asarray(np.bitwise_count(first ^ second).sum(axis=-1, dtype=np.int64))


def near_pairs(
    hashes: npt.NDArray[np.uint64], threshold: int = NEAR_THRESHOLD
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find all pairs of hashes that differ in at most some bits.

    Exact, by the pigeonhole principle: the bits are dealt out to `threshold + 1` bands, so two
    hashes within the threshold agree in one band at least; only such pairs are compared.
    Rows with equal hashes stand as one: they are chained, first to second to third, and the first
    alone is paired with others. Connected components are those of all pairs. The hash without
    structure (all zeros) is near nothing, not even itself: a blank picture would link everything.

    Args:
        hashes: uint64, shape (N, 4).
        threshold: 0 to `MAX_THRESHOLD` bits.

    Returns:
        Row numbers, int64, shape (M, 2), the smaller one first, sorted; and the distance of each
        pair, int64, shape (M,).

    Raises:
        OptionError: The threshold is out of range.
    """
    require_threshold(threshold)
    rows = np.flatnonzero(hashes.any(axis=1))
    distinct, first, group = np.unique(hashes[rows], axis=0, return_index=True, return_inverse=True)
    chains = _chains(group.reshape(-1))
    found = [rows[chains]]
    lengths = [np.zeros(len(chains), np.int64)]
    if threshold:
        keys = _band_keys(distinct, max(threshold + 1, BITS // 64))
        for band in range(len(keys)):
            pairs, apart = _near_in_band(distinct, keys, band, threshold)
            found.append(np.sort(rows[first[pairs]], axis=1))
            lengths.append(apart)
    pairs, apart = np.concatenate(found), np.concatenate(lengths)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], apart[order]


def require_threshold(threshold: int) -> None:
    """Check a threshold of `near_pairs`.

    Raises:
        OptionError: It is not a whole number from 0 to `MAX_THRESHOLD`.
    """
    if not isinstance(threshold, int) or not 0 <= threshold <= MAX_THRESHOLD:
        raise OptionError(
            f"near duplicates differ in 0 to {MAX_THRESHOLD} of {BITS} bits; got {threshold}"
        )


def _cosines(frequencies: int) -> npt.NDArray[np.float64]:
    """Return the DCT-II's basis in whole numbers, shape (frequencies, _SIDE)."""
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


def _chains(group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return pairs of positions that chain up the members of each group, shape (M, 2)."""
    order = np.argsort(group, kind="stable")
    same = group[order[1:]] == group[order[:-1]]
    return np.column_stack((order[:-1][same], order[1:][same]))


def _band_keys(hashes: npt.NDArray[np.uint64], bands: int) -> npt.NDArray[np.uint64]:
    """Deal the bits out to bands, shape (bands, N): neighboring frequencies to different ones."""
    keys = np.zeros((bands, len(hashes)), np.uint64)
    for start in range(0, len(hashes), _BLOCK):
        block = hashes[start : start + _BLOCK].astype(">u8")
        bits = np.unpackbits(block.view(np.uint8), axis=1)
        for band in range(bands):
            dealt = np.packbits(bits[:, band::bands], axis=1)
            words = np.zeros((len(block), 8), np.uint8)
            words[:, : dealt.shape[1]] = dealt
            keys[band, start : start + len(block)] = words.view(np.uint64).reshape(-1)
    return keys


def _near_in_band(
    hashes: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64], band: int, threshold: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the near pairs that agree in a band and in none before it, and their distances."""
    order = np.argsort(keys[band], kind="stable")
    ordered = keys[band][order]
    ends = np.searchsorted(ordered, ordered, side="right")
    partners = ends - np.arange(len(order)) - 1  # each row is compared with the rest of its bucket
    found = [np.empty((0, 2), np.int64)]
    lengths = [np.empty(0, np.int64)]
    for start, stop in _blocks(partners):
        left = np.repeat(np.arange(start, stop), partners[start:stop])
        before = np.cumsum(partners[start:stop]) - partners[start:stop]
        right = left + 1 + np.arange(len(left)) - np.repeat(before, partners[start:stop])
        pairs = order[np.column_stack((left, right))]
        apart = distances(hashes[pairs[:, 0]], hashes[pairs[:, 1]])
        near = apart <= threshold
        pairs, apart = pairs[near], apart[near]
        known = (keys[:band, pairs[:, 0]] == keys[:band, pairs[:, 1]]).any(axis=0)
        found.append(pairs[~known])
        lengths.append(apart[~known])
    return np.concatenate(found), np.concatenate(lengths)


def _blocks(partners: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut rows into ranges with about `_CANDIDATES` partners, however large a bucket is."""
    total = np.cumsum(partners)
    limits = np.arange(_CANDIDATES, int(partners.sum()) + _CANDIDATES, _CANDIDATES)
    stops = np.unique(np.searchsorted(total, limits, side="right"))
    edges = [0, *(int(stop) for stop in stops), len(partners)]
    return [(a, b) for a, b in pairwise(edges) if a < b]
