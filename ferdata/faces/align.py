"""Alignment: the affine map from a source image to a square output image, and its rendering.

Integer coordinates are pixel centers, as in `cv2.warpAffine`: the left edge of an image is at
x = −0.5, its right edge at x = width − 0.5.

Each transform has a name with a version, which is part of a build's plan and shards. A change that
alters any pixel of a transform needs a new version.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import UnknownNameError
from ferdata.faces.set_alignment import Border

Matrix = npt.NDArray[np.float64]

TRANSFORMS = {"none": "none/1", "five": "five-arcface/2"}
"""The kinds of alignment and the versioned name of each kind's transform."""

_BORDER_MODES = {
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "constant": cv2.BORDER_CONSTANT,
    "mean": cv2.BORDER_CONSTANT,
}

ARCFACE_SIDE = 112
"""Side of the square that `ARCFACE_TEMPLATE` lies in, pixels."""

ARCFACE_TEMPLATE: npt.NDArray[np.float64] = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where the five points go in a 112×112 image.

The template of ArcFace (Deng et al., CVPR 2019) as in InsightFace's `face_align.py`, widely used
for face and expression recognition. It crops above the chin and at mid-forehead; `margin` widens
it.
"""

_SAME_SCALE = 1e-6
_LEAST_SPREAD = 1e-9  # squared pixels: points closer together determine no scale


def transform_name(kind: str) -> str:
    """Return the versioned name of a kind of alignment, as stored with a build.

    Raises:
        UnknownNameError: There is no such kind.
    """
    if kind not in TRANSFORMS:
        raise UnknownNameError("--align", kind, TRANSFORMS)
    return TRANSFORMS[kind]


def alignment_matrix(
    kind: str,
    five_points: npt.ArrayLike | None,
    width: int,
    height: int,
    size: int,
    margin: float = 0.0,
    shift: float = 0.0,
) -> Matrix:
    """Return the map from source pixels to output pixels.

    Args:
        kind: `none`: the whole image, scaled to fit and centered; edges are repeated to fill the
            output if it is not square. `five`: the similarity that brings the five points closest
            to the template; the same as `none` if the points are unknown (None, NaN, or all in one
            place).
        five_points: The five points in source pixels, shape (5, 2) or (10,), or None.
        width: Width of the source image, pixels.
        height: Height of the source image, pixels.
        size: Side of the square output image, pixels.
        margin: For `five`: margin on each side of the template, as a fraction of its side.
        shift: For `five`: how much lower the template lies, as a fraction of the output's side.

    Returns:
        float64 (2, 3): output = matrix[:, :2] @ source + matrix[:, 2].

    Raises:
        UnknownNameError: There is no such kind of alignment.
    """
    transform_name(kind)
    if kind == "five" and five_points is not None:
        points = np.asarray(five_points, dtype=np.float64).reshape(5, 2)
        matrix = similarity(points, template(size, margin, shift))
        if matrix is not None:
            return matrix
    return _fit(width, height, size)


def template(size: int, margin: float = 0.0, shift: float = 0.0) -> npt.NDArray[np.float64]:
    """Return the template's five points in an output image.

    Args:
        size: Side of the output image, pixels.
        margin: Margin on each side, as a fraction of the template's side; negative shows less.
        shift: How much lower the points lie, as a fraction of the output's side.

    Returns:
        float64 (5, 2), pixels.
    """
    # Via edges (pixel center + 0.5), so that the face keeps its place at every size.
    fraction = (ARCFACE_TEMPLATE + 0.5) / ARCFACE_SIDE
    return (fraction + margin) / (1.0 + 2.0 * margin) * size - 0.5 + (0.0, shift * size)


def similarity(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> Matrix | None:
    """Return the least-squares similarity (rotation, scale, translation) between point sets.

    The solution of Umeyama (IEEE TPAMI 13(4), 1991, equations 39–43) in the plane without
    reflection. With points as complex numbers it is target ≈ a · source + b, where
    a = Σ conj(z − z̄)(w − w̄) / Σ |z − z̄|².

    Args:
        source: Points, shape (P, 2).
        target: Where they should go, shape (P, 2).

    Returns:
        float64 (2, 3), or None where the source points are not finite or determine no scale.
    """
    matrix = similarities(source[None], target)[0]
    return matrix if np.isfinite(matrix).all() else None


def determine_scale(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell which point sets, shape (..., P, 2), determine a similarity; false for NaN."""
    spread = ((points - points.mean(axis=-2, keepdims=True)) ** 2).sum(axis=(-2, -1))
    return np.asarray(spread > _LEAST_SPREAD)


def similarities(sources: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> Matrix:
    """Return `similarity` for many point sets at once.

    Args:
        sources: Points, shape (N, P, 2).
        target: Where those of each set should go, shape (P, 2).

    Returns:
        float64 (N, 2, 3), NaN where points are not finite or determine no scale.
    """
    direction, unknown = np.array([1, 1j]), complex(np.nan, np.nan)
    z, w = sources @ direction, target @ direction
    z_mean, w_mean = z.mean(axis=1, keepdims=True), w.mean()
    spread = np.sum(np.abs(z - z_mean) ** 2, axis=1)
    usable = determine_scale(sources)
    product = np.sum(np.conj(z - z_mean) * (w - w_mean), axis=1)
    a = np.divide(product, spread, out=np.full(len(z), unknown), where=usable)
    a[~(np.abs(a) > _LEAST_SPREAD)] = unknown
    x, y = z_mean[:, 0].real, z_mean[:, 0].imag
    left = w_mean.real - (a.real * x - a.imag * y)
    top = w_mean.imag - (a.real * y + a.imag * x)
    rows = np.stack([a.real, -a.imag, left, a.imag, a.real, top], axis=1)
    return rows.reshape(-1, 2, 3)


def warp(
    pixels: npt.NDArray[np.uint8], matrix: Matrix, size: int, border: Border = "replicate"
) -> npt.NDArray[np.uint8]:
    """Render an image through a map.

    If the map shrinks, the source is first averaged down to the output's scale (`cv2.INTER_AREA`)
    to avoid aliasing; the rest is bilinear. The identity returns equal pixels.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).
        matrix: float64 (2, 3), source pixels to output pixels.
        size: Side of the output, pixels.
        border: What fills pixels outside the source.

    Returns:
        uint8 (size, size, 3), never a view of the input.
    """
    if _is_whole(matrix, pixels, size):
        # A square image scaled as a whole, as face crops are: the same map in a third of the time.
        shrink = size < pixels.shape[0]
        how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, (size, size), interpolation=how), dtype=np.uint8)
    fill = pixels.mean(axis=(0, 1)).round().tolist() if border == "mean" else (0, 0, 0)
    pixels, matrix = _average_down(pixels, matrix)
    warped = cv2.warpAffine(
        pixels,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=_BORDER_MODES[border],
        borderValue=fill,
    )
    return np.asarray(warped, dtype=np.uint8)


def transform_points(points: npt.NDArray[Any], matrix: Matrix) -> npt.NDArray[Any]:
    """Carry points through a map.

    Args:
        points: Floating-point pixels, shape (..., 2); NaN stays NaN.
        matrix: float64 (2, 3).

    Returns:
        The points in output pixels, same shape and dtype.
    """
    moved = points.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return moved.astype(points.dtype, copy=False)


def _is_whole(matrix: Matrix, pixels: npt.NDArray[np.uint8], size: int) -> bool:
    """Tell whether a map only scales a square image, as a whole, to the output size."""
    height, width = pixels.shape[:2]
    if height != width:
        return False
    (a, b, x), (c, d, y) = matrix.tolist()
    scale = size / width
    shift = 0.5 * scale - 0.5
    wrong = abs(a - scale) + abs(d - scale) + abs(b) + abs(c) + abs(x - shift) + abs(y - shift)
    return bool(wrong < 1e-9)


@lru_cache(maxsize=64)
def _fit(width: int, height: int, size: int) -> Matrix:
    """Scale the longer side to `size` and center the image; the result is read-only."""
    scale = size / max(width, height)
    left = (size - scale * width) / 2
    top = (size - scale * height) / 2
    half = 0.5 * scale - 0.5  # edge to edge, see the module's first lines
    matrix = np.array([[scale, 0.0, left + half], [0.0, scale, top + half]])
    matrix.flags.writeable = False
    return matrix


def _average_down(
    pixels: npt.NDArray[np.uint8], matrix: Matrix
) -> tuple[npt.NDArray[np.uint8], Matrix]:
    """Shrink an image to the scale of its map; return it and the remaining map."""
    (a, b, _), (c, d, _) = matrix.tolist()
    scale = math.sqrt(abs(a * d - b * c))
    if scale >= 1 - _SAME_SCALE:
        return pixels, matrix
    height, width = pixels.shape[:2]
    small_width = max(1, round(width * scale))
    small_height = max(1, round(height * scale))
    small = cv2.resize(pixels, (small_width, small_height), interpolation=cv2.INTER_AREA)
    # resize maps edges to edges: x = (x' + 0.5) · width / small_width − 0.5
    x_step, y_step = width / small_width, height / small_height
    back = np.array([[x_step, 0.0, 0.5 * x_step - 0.5], [0.0, y_step, 0.5 * y_step - 0.5]])
    left = matrix[:, :2] @ back
    left[:, 2] += matrix[:, 2]
    return np.asarray(small, dtype=np.uint8), left
