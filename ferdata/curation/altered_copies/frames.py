"""Frames: the small gray images on which candidates are compared.

Where a face is known and the image shows much besides it, the frame shows the face with a margin:
in a photograph of head and shoulders, the expression would be too small a part of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

SIDE = 80
"""Longer side of a frame, pixels."""

_WHOLE_SIDE = 56
"""Longer side of the whole image's frame where the face has one of its own, pixels."""

_LEAST_SIDE = 40
"""Frames smaller than this are enlarged before they are compared, pixels."""

_MARGIN = 2.9
"""Half the side of a face's square, in root mean square distances of the five points from their
mean: from the hairline to below the chin."""

_MOST_OF_IMAGE = 0.6
"""Fraction of the image's area from which a face's square counts as the whole image."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A small gray image.

    Attributes:
        gray: uint8, shape (h, w).
        five: float64 (5, 2), the five points in its pixels; None if they are not known.
    """

    gray: Gray
    five: Points | None = None

    def mirrored(self) -> Frame:
        """Return the mirror image; its points exchange their sides."""
        points = self.five
        if points is not None:
            points = points[[1, 0, 2, 4, 3]] * (-1, 1) + (self.gray.shape[1] - 1, 0)
        return Frame(np.ascontiguousarray(self.gray[:, ::-1]), points)

    def resized(self, longer_side: int) -> Frame:
        """Return the frame scaled to a length of its longer side."""
        height, width = self.gray.shape
        scale = longer_side / max(height, width)
        if scale == 1.0:
            return self
        size = max(8, round(width * scale)), max(8, round(height * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        points = self.five
        if points is not None:
            points = (points + 0.5) * (np.array(size) / (width, height)) - 0.5
        return Frame(np.asarray(cv2.resize(self.gray, size, interpolation=how), np.uint8), points)


@dataclass(frozen=True, eq=False)
class Frames:
    """What is kept of an image for comparison.

    Attributes:
        face: The face, or the whole image where it shows little else or no face is known.
        whole: The whole image if `face` is not, else None.
    """

    face: Frame
    whole: Frame | None = None

    @property
    def has_points(self) -> bool:
        """Whether the face's points are known."""
        return self.face.five is not None


def make_frames(gray: Gray, five: Points | None) -> Frames:
    """Make the frames of an image.

    Args:
        gray: uint8, shape (H, W).
        five: The five points in its pixels, (5, 2), or None.
    """
    whole = Frame(gray, five)
    if five is None:
        return Frames(_shrunk(whole, SIDE))
    left, top, right, bottom = _face_square(five, gray.shape)
    part = gray[top:bottom, left:right]
    if part.size >= _MOST_OF_IMAGE * gray.size or min(part.shape) < 8:
        return Frames(_shrunk(whole, SIDE))
    return Frames(_shrunk(Frame(part, five - (left, top)), SIDE), _shrunk(whole, _WHOLE_SIDE))


def matching_frames(first: Frames, second: Frames) -> tuple[Frame, Frame]:
    """Return the frames of two images that show the same part, scaled to one size.

    Faces are compared where the points of both are known, else the whole images.
    """
    one, two = first.face, second.face
    if not (first.has_points and second.has_points):
        one, two = first.whole or one, second.whole or two
    smaller = min(max(one.gray.shape), max(two.gray.shape))
    side = max(smaller, _LEAST_SIDE)
    return one.resized(side), two.resized(side)


def _shrunk(frame: Frame, side: int) -> Frame:
    """Shrink a frame to a longer side; smaller ones stay as they are."""
    small = frame.resized(side) if max(frame.gray.shape) > side else frame
    return Frame(np.ascontiguousarray(small.gray), small.five)


def _face_square(five: Points, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the face's square, inside the image."""
    middle = five.mean(axis=0)
    half = _MARGIN * float(np.sqrt(((five - middle) ** 2).sum(axis=1).mean()))
    low = np.floor(middle - half).clip(0, (shape[1] - 1, shape[0] - 1)).astype(int)
    high = np.ceil(middle + half + 1).clip(1, (shape[1], shape[0])).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
