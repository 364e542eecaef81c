"""Altered copies of an image, as augmentation scripts make them.

Each alteration draws its strength from a generator and returns the pixels with the map from the
image's pixels to the copy's, so that landmarks can be carried along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

MOST_DEGREES = 10.0
"""Largest rotation, in degrees."""

LARGEST_FRACTION = 0.10
"""Largest shift and largest part cut off each dimension, as a fraction of the side."""

_BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)


class AlteredImage(NamedTuple):
    """An altered copy.

    Attributes:
        pixels: uint8 RGB, shape (H, W, 3); its size may differ from the original's.
        matrix: float64 (2, 3), pixels of the original to pixels of the copy.
    """

    pixels: Pixels
    matrix: Matrix

    def move_five(self, five: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Carry the original's five points (5, 2) to the copy; a mirrored copy swaps the sides."""
        moved = five @ self.matrix[:, :2].T + self.matrix[:, 2]
        if np.linalg.det(self.matrix[:, :2]) < 0:
            moved = moved[[1, 0, 2, 4, 3]]
        return moved.astype(np.float32)


def _same_place() -> Matrix:
    return np.eye(2, 3)


def flip(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:  # noqa: ARG001
    """Mirror left and right."""
    matrix = np.array([[-1.0, 0.0, pixels.shape[1] - 1.0], [0.0, 1.0, 0.0]])
    return AlteredImage(np.ascontiguousarray(pixels[:, ::-1]), matrix)


def brightness(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Change gain (0.65–1.35) and offset (±30 gray levels)."""
    gain, offset = generator.uniform(0.65, 1.35), generator.uniform(-30, 30)
    changed = (pixels * gain + offset).round().clip(0, 255)
    return AlteredImage(changed.astype(np.uint8), _same_place())


def noise(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Add Gaussian noise with a standard deviation of 4–12 gray levels."""
    deviation = generator.uniform(4, 12)
    changed = pixels + generator.normal(0, deviation, pixels.shape)
    return AlteredImage(changed.round().clip(0, 255).astype(np.uint8), _same_place())


def blur(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Blur with a Gaussian of 0.6–1.8 % of the longer side."""
    deviation = generator.uniform(0.006, 0.018) * max(pixels.shape[:2])
    return AlteredImage(_as_pixels(cv2.GaussianBlur(pixels, (0, 0), deviation)), _same_place())


def resize(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Scale to between 0.48 and 2.24 of the size, as 100 pixels become 48 or 224."""
    factor = float(np.exp(generator.uniform(np.log(0.48), np.log(2.24))))
    height, width = pixels.shape[:2]
    new = max(16, round(width * factor)), max(16, round(height * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return AlteredImage(
        _as_pixels(cv2.resize(pixels, new, interpolation=how)),
        _scaling(new[0] / width, new[1] / height),
    )


def reencode(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Save as JPEG with a quality of 30–90 and read again."""
    quality = int(generator.integers(30, 91))
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return AlteredImage(_as_pixels(decoded[..., ::-1]), _same_place())


def gray(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:  # noqa: ARG001
    """Convert to gray, in three equal channels."""
    single = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return AlteredImage(_as_pixels(cv2.cvtColor(single, cv2.COLOR_GRAY2RGB)), _same_place())


def rotate(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Rotate about the middle by 2–10 degrees either way; borders black, repeated or mirrored."""
    degrees = generator.uniform(2, MOST_DEGREES) * generator.choice([-1, 1])
    height, width = pixels.shape[:2]
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, float(degrees), 1.0), np.float64)
    return _warped(pixels, matrix, generator)


def crop(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Cut up to 10 % off width and height, anywhere, and scale back to the size."""
    height, width = pixels.shape[:2]
    cut_x, cut_y = generator.uniform(0.03, LARGEST_FRACTION, 2) * (width, height)
    cut_x, cut_y = max(1, int(cut_x)), max(1, int(cut_y))
    left, top = int(generator.integers(cut_x + 1)), int(generator.integers(cut_y + 1))
    part = pixels[top : top + height - cut_y, left : left + width - cut_x]
    matrix = _scaling(width / part.shape[1], height / part.shape[0])
    matrix[:, 2] -= matrix[:, :2] @ (left, top)
    resized = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
    return AlteredImage(_as_pixels(resized), matrix)


def shift(pixels: Pixels, generator: np.random.Generator) -> AlteredImage:
    """Shift by up to 10 % each way; borders black, repeated or mirrored."""
    height, width = pixels.shape[:2]
    moved = generator.uniform(-LARGEST_FRACTION, LARGEST_FRACTION, 2) * (width, height)
    return _warped(pixels, np.column_stack((np.eye(2), moved.round())), generator)


ALTERATIONS: Mapping[str, Callable[[Pixels, np.random.Generator], AlteredImage]] = {
    each.__name__: each
    for each in (flip, brightness, noise, blur, resize, reencode, gray, rotate, crop, shift)
}
"""Every alteration by its name."""


def _warped(pixels: Pixels, matrix: Matrix, generator: np.random.Generator) -> AlteredImage:
    border = _BORDERS[int(generator.integers(len(_BORDERS)))]
    size = pixels.shape[1], pixels.shape[0]
    return AlteredImage(_as_pixels(cv2.warpAffine(pixels, matrix, size, borderMode=border)), matrix)


def _scaling(x: float, y: float) -> Matrix:
    """Return the map of a resized image; edges go to edges."""
    return np.array([[x, 0.0, 0.5 * x - 0.5], [0.0, y, 0.5 * y - 0.5]])


def _as_pixels(image: npt.NDArray[np.generic]) -> Pixels:
    return np.ascontiguousarray(image, np.uint8)
