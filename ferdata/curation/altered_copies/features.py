"""Features that alterations of an image hardly change: low frequencies, after normalization.

A face is brought to one pose by its points, so that rotated, shifted and cropped copies become
equal; the whole image is only scaled to a square. Both are band-passed and locally normalized,
which removes brightness and contrast, and their lowest frequencies are kept (discrete cosine
transform). The feature of the mirror image needs no second look: it has the same numbers, those of
odd horizontal frequencies with the other sign.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.faces.align import similarity, template, warp

Gray = npt.NDArray[np.uint8]
Feature = npt.NDArray[np.float16]

LENGTH = 128
"""Numbers in a feature."""

_SIDE = 64  # pixels a side before the transform
_FINE, _COARSE = 1.0, 8.0  # the band passed: standard deviations of two Gaussians, pixels
_LEAST_CONTRAST = 1.0  # gray levels, below which structure is taken for noise

_EYES, _LOWER = (0, 1), (2, 3, 4)
POINT_SUBSETS: dict[str, tuple[int, ...]] = {
    "five": (0, 1, 2, 3, 4),
    "eyes": _EYES,
    "lower": _LOWER,
}
"""The points that each of a face's features is aligned by.

A detector that is given an altered copy misplaces one point or another; three features share no
single point."""


def face_features(gray: Gray, five: npt.NDArray[np.float64]) -> list[Feature | None]:
    """Compute a face's features, one for each of `POINT_SUBSETS`.

    Args:
        gray: uint8, shape (H, W).
        five: The five points, shape (5, 2), pixels.

    Returns:
        For each subset float16 (LENGTH,), or None where its points determine no alignment.
    """
    return [
        _face_feature(gray, five[list(subset)], list(subset)) for subset in POINT_SUBSETS.values()
    ]


def whole_feature(gray: Gray) -> Feature:
    """Compute the feature of a whole image, uint8 (H, W): float16 (LENGTH,)."""
    return _spectrum(cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), _FRAME)


def probe_features(gray: Gray) -> npt.NDArray[np.float16]:
    """Compute the features of slightly rotated, shifted and cropped versions of a whole image.

    They find the copies of an image without points. float16 (P, LENGTH).
    """
    small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.stack(
        [
            _spectrum(
                cv2.warpAffine(small, probe, (_SIDE, _SIDE), borderMode=cv2.BORDER_REPLICATE),
                _FRAME,
            )
            for probe in _PROBES
        ]
    )


def _face_feature(gray: Gray, points: npt.NDArray[np.float64], subset: list[int]) -> Feature | None:
    matrix = similarity(points, TEMPLATE[subset])
    return None if matrix is None else _spectrum(warp(gray, matrix, _SIDE), _ELLIPSE)


def normalized(image: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Band-pass an image and divide it by its local contrast; same shape."""
    values = image.astype(np.float32)
    band = cv2.GaussianBlur(values, (0, 0), _FINE) - cv2.GaussianBlur(values, (0, 0), _COARSE)
    contrast = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), _COARSE))
    return np.asarray(band / (contrast + _LEAST_CONTRAST), np.float32)


def _spectrum(image: npt.NDArray[np.generic], window: npt.NDArray[np.float32]) -> Feature:
    spectrum = _COSINES @ (normalized(image) * window) @ _COSINES.T
    return np.asarray(spectrum[_LOWEST], np.float16)


def _probes() -> list[npt.NDArray[np.float64]]:
    """Return the maps of the probes."""
    middle = (_SIDE - 1) / 2
    turned = [cv2.getRotationMatrix2D((middle, middle), degrees, 1.0) for degrees in (-8, -4, 4, 8)]
    moves = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y]
    shifted = [np.array([[1, 0, x * 0.06 * _SIDE], [0, 1, y * 0.06 * _SIDE]]) for x, y in moves]
    enlarged = [cv2.getRotationMatrix2D((middle, middle), 0, scale) for scale in (0.94, 1.06)]
    return [*turned, *shifted, *enlarged]


def _symmetric_template() -> npt.NDArray[np.float64]:
    """Return the template's five points such that mirrored points have the mirrored template."""
    points = template(_SIDE)
    mirrored = (_SIDE - 1, 0) + points[[1, 0, 2, 4, 3]] * (-1, 1)
    return np.asarray((points + mirrored) / 2)


def _cosines(frequencies: int) -> npt.NDArray[np.float32]:
    """Return the orthonormal basis of the DCT-II without its constant, (frequencies, _SIDE)."""
    frequency = np.arange(frequencies)[:, None]
    angle = (2 * np.arange(_SIDE) + 1) * frequency * np.pi / (2 * _SIDE)
    return np.asarray(np.cos(angle) * np.sqrt(2 / _SIDE), np.float32)


def _lowest(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and columns of the lowest frequencies without the constant, by their radius."""
    down, across = np.indices((_SIDE, _SIDE)).reshape(2, -1)
    order = np.lexsort((down, down**2 + across**2))[1 : count + 1]
    return down[order], across[order]


def _ellipse() -> npt.NDArray[np.float32]:
    """Return a soft mask of the face in the template, 1 inside."""
    y, x = (np.indices((_SIDE, _SIDE)) + 0.5) / _SIDE * 2 - 1
    radius = np.sqrt((x / 0.95) ** 2 + (y / 1.0) ** 2)
    return np.asarray(np.clip((1.0 - radius) / 0.25, 0, 1), np.float32)


def _frame() -> npt.NDArray[np.float32]:
    """Return a window that fades out toward the edges, where alterations leave borders."""
    ramp = np.clip(np.minimum(np.arange(_SIDE), np.arange(_SIDE)[::-1]) / (_SIDE / 8), 0, 1)
    return np.outer(ramp, ramp).astype(np.float32)


TEMPLATE = _symmetric_template()
_LOWEST = _lowest(LENGTH)
_COSINES = _cosines(int(max(_LOWEST[0].max(), _LOWEST[1].max())) + 1)
_PROBES = _probes()
_ELLIPSE, _FRAME = _ellipse(), _frame()
MIRROR = np.where(_LOWEST[1] % 2, -1, 1).astype(np.float32)
"""float32 (LENGTH,): factors that turn a feature into that of the mirror image."""
