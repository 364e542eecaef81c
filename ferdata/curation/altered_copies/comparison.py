"""Whether two images are the same: agreement of registered, band-passed pixels, place by place.

Copies agree everywhere. Another image of the same person, or a drawn face like another, agrees in
most places and differs in some: at the mouth, at the brows. So the measure is not only the
correlation of the whole, but also the one that nearly all places reach.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.curation.altered_copies.frames import Frame, Frames, matching_frames
from ferdata.curation.altered_copies.registration import (
    Matrix,
    inner_mask,
    register,
    scaling,
    starts,
    unclipped,
)

Map = npt.NDArray[np.float32]

LEAST_SIMILARITY = 0.985
"""Correlation of the registered images that copies have at least."""

LEAST_WEAKEST = 0.965
"""Local correlation that copies reach at least in all but `_WEAK_PART` of their structure."""

_WEAK_PART = 0.05

_FINE, _COARSE = 1.0, 5.0  # the band that is compared: standard deviations of Gaussians, pixels
_WINDOW = 5.0  # standard deviation of the window of the local correlation, pixels
_BLURS = ((0.0, 0.0), (0.8, 0.0), (0.0, 0.8), (1.4, 0.0), (0.0, 1.4))
"""Blurs of the first and of the second image that are tried: a copy may be blurred."""

_WORTH_BLURRING, _AS_GOOD_AS_EQUAL = 0.8, 0.997
"""Correlations between which other blurs are tried, too."""

_LEAST_OVERLAP = 0.3  # of the frame
_LEAST_USABLE = 0.1  # of the frame, without what is black or white
_LEAST_DEVIATION = 1e-3  # gray levels


class Comparison(NamedTuple):
    """How well two images agree after registration.

    Attributes:
        similarity: Correlation of the band-passed images, −1 to 1.
        weakest: Local correlation that 95 % of the structure reaches, −1 to 1.
        matrix: Pixels of the first frame to those of the second, float64 (2, 3), relative to
            frames scaled to each other as wholes.
        blurs: How much the first and the second image had to be blurred to agree best.
        gain: Contrast of the second image over that of the first.
        offset: Mean gray level of the second image less that of the first.
        moved: How far the middle of the first image lies from that of the second, as a fraction of
            its side.
    """

    similarity: float
    weakest: float
    matrix: Matrix
    blurs: tuple[float, float]
    gain: float
    offset: float
    moved: float

    @property
    def score(self) -> float:
        """The smaller of `similarity` and `weakest`."""
        return min(self.similarity, self.weakest)

    @property
    def same(self) -> bool:
        """Whether the images are the same."""
        return self.similarity >= LEAST_SIMILARITY and self.weakest >= LEAST_WEAKEST


def compare(
    first: Frames, second: Frames, *, mirrored: bool = False, as_wholes: bool = True
) -> Comparison | None:
    """Register two images and compare them.

    Args:
        first: The first image.
        second: The second.
        mirrored: Compare the mirror image of the second.
        as_wholes: If both faces' points are known, also register without them.

    Returns:
        The best agreement from any start; None if they can't be registered.
    """
    one, two = matching_frames(first, second)
    if mirrored:
        two = two.mirrored()
    best: Comparison | None = None
    for start in starts(one, two, as_wholes):
        matrix = register(one, two, start)
        found = None if matrix is None else _compare_registered(one, two, matrix)
        if found is not None and (best is None or found.score > best.score):
            best = found
        if best is not None and best.same:
            break
    return best


def _compare_registered(first: Frame, second: Frame, matrix: Matrix) -> Comparison | None:
    one = first.gray
    two, inside = _brought_onto(first, second, matrix)
    if inside.mean() < _LEAST_OVERLAP:
        return None
    inside &= (unclipped(one) & unclipped(two)) > 0
    if inside.mean() < _LEAST_USABLE:
        return None
    similarity, blurs, a, b = _best_blur(one.astype(np.float32), two.astype(np.float32), inside)
    whole = matrix.copy()
    whole[:, :2] = matrix[:, :2] @ np.linalg.inv(scaling(one.shape, second.gray.shape)[:, :2])
    deviations = float(one[inside].std()), float(two[inside].std())
    return Comparison(
        similarity=similarity,
        weakest=_weakest(a, b, inside) if similarity >= LEAST_SIMILARITY else -1.0,
        matrix=whole,
        blurs=blurs,
        gain=deviations[1] / max(deviations[0], _LEAST_DEVIATION),
        offset=float(two[inside].mean()) - float(one[inside].mean()),
        moved=_moved(one.shape, second.gray.shape, matrix),
    )


def _moved(first: tuple[int, ...], second: tuple[int, ...], matrix: Matrix) -> float:
    middle = (np.array(first[::-1]) - 1) / 2
    where = matrix[:, :2] @ middle + matrix[:, 2] - (np.array(second[::-1]) - 1) / 2
    return float(np.abs(where).max()) / max(second)


def _brought_onto(
    first: Frame, second: Frame, matrix: Matrix
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the second image in the first one's pixels, and where both are inside their margin."""
    height, width = first.gray.shape
    two = cv2.warpAffine(
        second.gray, matrix, (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    inside = cv2.warpAffine(
        inner_mask(second.gray.shape), matrix, (width, height),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )  # fmt: skip
    return np.asarray(two, np.uint8), (inside > 0) & (inner_mask(first.gray.shape) > 0)


def _best_blur(
    one: Map, two: Map, inside: npt.NDArray[np.bool_]
) -> tuple[float, tuple[float, float], Map, Map]:
    """Return the best correlation over `_BLURS`, those blurs, and the band-passed images."""
    found = []
    for blurs in _BLURS:
        a, b = _band(one, blurs[0]), _band(two, blurs[1])
        similarity = _correlation(a[inside], b[inside])
        found.append((similarity, blurs, a, b))
        if not _WORTH_BLURRING <= similarity < _AS_GOOD_AS_EQUAL:
            break
    return max(found, key=lambda each: each[0])


def _band(image: Map, blur: float) -> Map:
    fine = cv2.GaussianBlur(image, (0, 0), math.hypot(_FINE, blur))
    return np.asarray(fine - cv2.GaussianBlur(image, (0, 0), math.hypot(_COARSE, blur)), np.float32)


def _correlation(a: Map, b: Map) -> float:
    a, b = a - a.mean(), b - b.mean()
    energy = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / energy if energy > _LEAST_DEVIATION else 0.0


def _weakest(a: Map, b: Map, inside: npt.NDArray[np.bool_]) -> float:
    """Return the local correlation that all but `_WEAK_PART` of the structure reaches.

    Structure is what both images have: the geometric mean of their local variances.
    """
    mask = inside.astype(np.float32)
    weight = _smooth(mask) + 1e-6

    def mean(values: Map) -> Map:
        return np.asarray(_smooth(values * mask) / weight, np.float32)

    mean_a, mean_b = mean(a), mean(b)
    variance_a = np.maximum(mean(a * a) - mean_a**2, 0)
    variance_b = np.maximum(mean(b * b) - mean_b**2, 0)
    energy = np.sqrt(variance_a * variance_b)[inside]
    local = (mean(a * b) - mean_a * mean_b)[inside] / (energy + _LEAST_DEVIATION)
    order = np.argsort(local, kind="stable")
    share = np.cumsum(energy[order], dtype=np.float64)
    if share[-1] <= 0:
        return -1.0
    return float(local[order][np.searchsorted(share, _WEAK_PART * share[-1])])


def _smooth(image: Map) -> Map:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), _WINDOW), np.float32)
