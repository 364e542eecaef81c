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

LEAST_WEAKEST = 0.98
"""Local correlation that copies reach at least in all but `_WEAK_PART` of their structure.

Measured on drawn faces of 100 and of 48 pixels, the lowest of 1 % of copies: 0.985 to 1.0, whatever
the alteration. Of the 600 most alike pairs of 3,000 different faces the highest is 0.967; of frames
that differ by a fifth of an expression's full movement, the median is 0.95.
"""

_WEAK_PART = 0.02

_FINE, _COARSE = 1.0, 5.0  # the band that is compared: standard deviations of Gaussians, pixels
_TONE_BLUR = 2.5  # standard deviation of the blur under which tones are matched, pixels
_WINDOW = 5.0  # standard deviation of the window of the local correlation, pixels
_BLURS = ((0.0, 0.0), (0.8, 0.0), (0.0, 0.8), (1.4, 0.0), (0.0, 1.4))
"""Blurs of the first and of the second image that are tried: a copy may be blurred."""

_WORTH_BLURRING, _AS_GOOD_AS_EQUAL = 0.8, 0.997
"""Correlations between which other blurs are tried, too."""

_WORTH_A_CLOSER_LOOK = 0.95  # correlation from which places are compared
_SURROUNDINGS = np.ones((5, 5), np.uint8)  # pixels around clipped ones that the band-pass spoils

_LEAST_OVERLAP = 0.3  # of the frame
_LEAST_USABLE = 0.1  # of the frame, without what is black or white
_LEAST_DEVIATION = 1e-3  # gray levels
_TINY = 1e-6

_NOISE_PART = 0.2
"""Quantile of what is left over between the images, taken for noise: it is the same everywhere,
where a difference of what they show is in some places only."""

_MOST_NOISE = 0.12  # of the variance of an image


class Comparison(NamedTuple):
    """How well two images agree after registration.

    Attributes:
        similarity: Correlation of the band-passed images without noise, −1 to 1.
        weakest: Local correlation that 98 % of the structure reaches, −1 to 1.
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
    inside &= cv2.erode(unclipped(one) & unclipped(two), _SURROUNDINGS) > 0
    if inside.mean() < _LEAST_USABLE:
        return None
    similarity, blurs, a, b = _best_blur(_with_tones_of(two, one, inside), _as_map(two), inside)
    weakest = -1.0
    if similarity >= _WORTH_A_CLOSER_LOOK:
        local, structure, raised = _local_agreement(a, b, inside)
        weakest = _weakest(np.minimum(local * raised, 1), structure)
        similarity = min(similarity * float(np.average(raised, weights=structure + _TINY)), 1.0)
    whole = matrix.copy()
    whole[:, :2] = matrix[:, :2] @ np.linalg.inv(scaling(one.shape, second.gray.shape)[:, :2])
    deviations = float(one[inside].std()), float(two[inside].std())
    return Comparison(
        similarity=similarity,
        weakest=weakest,
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


def _with_tones_of(
    two: npt.NDArray[np.uint8], one: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_]
) -> Map:
    """Return the first image with the tones of the second: a cubic of its gray levels.

    Gamma correction, and gray levels of colors of which one is clipped, bend the tones. The curve
    is fitted to smooth images, so that blur does not bend it.
    """
    smooth_one, smooth_two = (
        cv2.GaussianBlur(_as_map(image), (0, 0), _TONE_BLUR)[inside] for image in (one, two)
    )
    levels = np.vander(smooth_one.astype(np.float64) / 255, 4)
    curve = np.linalg.lstsq(levels, smooth_two.astype(np.float64))[0]
    tones = np.vander(np.arange(256) / 255, 4) @ curve
    return np.asarray(tones.astype(np.float32)[one], np.float32)


def _as_map(image: npt.NDArray[np.uint8]) -> Map:
    return np.asarray(image, np.float32)


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


def _local_agreement(a: Map, b: Map, inside: npt.NDArray[np.bool_]) -> tuple[Map, Map, Map]:
    """Compare two band-passed images place by place.

    Returns:
        At each place inside: the correlation in a window around it; how much structure both images
        have there, the geometric mean of their variances; and the factor by which correlations are
        raised for noise. Float32, shape (M,).
    """
    mask = inside.astype(np.float32)
    weight = _smooth(mask)[inside] + _TINY

    def covariance(x: Map, y: Map) -> Map:
        means = (_smooth(x * mask)[inside] / weight) * (_smooth(y * mask)[inside] / weight)
        return np.asarray(_smooth(x * y * mask)[inside] / weight - means, np.float32)

    a_variance = np.maximum(covariance(a, a), 0)
    b_variance = np.maximum(covariance(b, b), 0)
    x, y = a[inside] - a[inside].mean(), b[inside] - b[inside].mean()
    left_over = b - a * (float(x @ y) / (float(x @ x) + _TINY))
    noise = float(np.quantile(np.maximum(covariance(left_over, left_over), 0), _NOISE_PART))
    structure = np.sqrt(a_variance * b_variance)
    local = covariance(a, b) / (structure + _LEAST_DEVIATION)
    raised = np.sqrt(1 + np.minimum(noise / (b_variance + _LEAST_DEVIATION), _MOST_NOISE))
    return local, structure, np.asarray(raised, np.float32)


def _weakest(local: Map, structure: Map) -> float:
    """Return the correlation that all but `_WEAK_PART` of the structure reaches."""
    order = np.argsort(local, kind="stable")
    share = np.cumsum(structure[order], dtype=np.float64)
    if share[-1] <= 0:
        return -1.0
    return float(local[order][np.searchsorted(share, _WEAK_PART * share[-1])])


def _smooth(image: Map) -> Map:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), _WINDOW), np.float32)
