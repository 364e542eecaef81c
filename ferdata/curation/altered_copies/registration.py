"""Bringing one image onto another: the affine map under which they agree best.

The start comes from the points of both faces, or takes the images as wholes. It is refined by
maximizing the enhanced correlation coefficient (Evangelidis and Psarakis, IEEE TPAMI 30(10), 2008),
which brightness and contrast don't change, first on coarse images, then on fine ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.curation.altered_copies.frames import Frame
from ferdata.faces.align import similarity

Gray = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

_COARSE_SIDE = 32  # pixels
_STEPS = 30  # iterations at most
_BLUR = 3  # pixels: the smallest that the gradients need
_COARSE_GAIN, _FINE_GAIN = 1e-3, 2e-4  # of the correlation, below which an iteration is the last

_LEAST_AGREEMENT = 0.95
"""Correlation of gray levels below which images are not compared further. 99 % of copies of every
alteration have more than 0.99 on coarse images, and half of the nearest other drawn faces less
than 0.93."""

_INNER = 0.10
"""Margin of each image that is ignored, as a fraction of its sides: rotated and shifted copies have
filled borders."""

_DARKEST, _BRIGHTEST = (3,), (252,)  # gray levels that are neither black nor white
_SURROUNDINGS = np.ones((3, 3), np.uint8)

_MOST_STRETCH = 1.35
"""Scale, up or down and along any direction, beyond which a map is no copy's: cropped by a tenth,
with slack for points that are a little off."""


def starts(first: Frame, second: Frame, as_wholes: bool) -> Iterator[Matrix]:
    """Yield maps from the first frame's pixels to the second's to start from.

    Args:
        first: One frame.
        second: The other.
        as_wholes: Also start without points where both frames have them.
    """
    by_points = None
    if first.five is not None and second.five is not None:
        by_points = similarity(first.five, second.five)
    if by_points is not None:
        yield by_points
    if as_wholes or by_points is None:
        yield scaling(first.gray.shape, second.gray.shape)


def scaling(first: tuple[int, ...], second: tuple[int, ...]) -> Matrix:
    """Return the map that scales an image of one shape to another; edges go to edges."""
    x, y = second[1] / first[1], second[0] / first[0]
    return np.array([[x, 0.0, 0.5 * x - 0.5], [0.0, y, 0.5 * y - 0.5]])


def register(first: Frame, second: Frame, start: Matrix) -> Matrix | None:
    """Refine a map from the first frame's pixels to the second's.

    Returns:
        float64 (2, 3); None where the images don't agree, or only if one is distorted more than
        copies are.
    """
    scale = _COARSE_SIDE / max(first.gray.shape)
    agreement, matrix = _refine(first.gray, second.gray, start, scale, _COARSE_GAIN)
    if agreement < _LEAST_AGREEMENT:
        return None
    agreement, matrix = _refine(first.gray, second.gray, matrix, 1.0, _FINE_GAIN)
    if agreement < _LEAST_AGREEMENT:
        return None
    relative = matrix[:, :2] @ np.linalg.inv(scaling(first.gray.shape, second.gray.shape)[:, :2])
    stretch = np.linalg.svd(relative, compute_uv=False)
    return matrix if stretch[0] < _MOST_STRETCH and stretch[1] > 1 / _MOST_STRETCH else None


@lru_cache(maxsize=256)
def inner_mask(shape: tuple[int, int]) -> Gray:
    """Return 255 inside an image's margin, else 0; read-only."""
    mask = np.zeros(shape, np.uint8)
    y, x = round(shape[0] * _INNER), round(shape[1] * _INNER)
    mask[y : shape[0] - y, x : shape[1] - x] = 255
    mask.flags.writeable = False
    return mask


def unclipped(image: Gray) -> Gray:
    """Return 255 where an image and its surroundings are neither black nor white, else 0.

    A brightened or darkened copy has lost its structure elsewhere.
    """
    return np.asarray(cv2.erode(cv2.inRange(image, _DARKEST, _BRIGHTEST), _SURROUNDINGS), np.uint8)


def _refine(
    first: Gray, second: Gray, matrix: Matrix, scale: float, gain: float
) -> tuple[float, Matrix]:
    """Return the correlation reached at a scale, 0 if there is none, and the map."""
    one, to_one = _scaled(first, scale)
    two, to_two = _scaled(second, scale)
    start = _compose(to_two, _compose(matrix, _invert(to_one))).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, gain)
    masks = inner_mask(one.shape) & unclipped(one), inner_mask(two.shape) & unclipped(two)
    try:
        agreement, found = cv2.findTransformECCWithMask(
            one, two, *masks, start, cv2.MOTION_AFFINE, criteria, _BLUR
        )
    except cv2.error:  # they don't overlap, or the iterations diverge
        return 0.0, matrix
    if not np.isfinite(found).all():
        return 0.0, matrix
    refined = _compose(_invert(to_two), _compose(np.asarray(found, np.float64), to_one))
    return float(agreement), refined


def _scaled(image: Gray, scale: float) -> tuple[Gray, Matrix]:
    """Return an image at a scale, and the map to it."""
    if scale >= 1.0:
        return image, np.eye(2, 3)
    size = max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, scaling(image.shape, small.shape)


def _compose(second: Matrix, first: Matrix) -> Matrix:
    """Return the map that applies `first`, then `second`."""
    matrix = second[:, :2] @ first
    matrix[:, 2] += second[:, 2]
    return matrix


def _invert(matrix: Matrix) -> Matrix:
    return np.asarray(cv2.invertAffineTransform(matrix), np.float64)
