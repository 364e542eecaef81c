"""Brushes: filled shapes and strokes given in face units, painted smooth onto a pixel canvas."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.synth.face import Points
from ferdata.synth.identity import Color

Pixels = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

_SHIFT = 4  # OpenCV takes sub-pixel coordinates as integers with this many binary places
_SUBPIXEL = float(1 << _SHIFT)


class Canvas:
    """Pixels, and the pose that maps face units to them.

    Attributes:
        pixels: uint8 RGB, shape (H, W, 3), painted in place.
        matrix: From face units to canvas pixels, (2, 3).
        unit: Pixels per face unit.
    """

    def __init__(self, pixels: Pixels, matrix: Matrix) -> None:
        self.pixels = pixels
        self.matrix = matrix
        self.unit = float(np.hypot(matrix[0, 0], matrix[1, 0]))

    def place(self, points: Points) -> npt.NDArray[np.int32]:
        """Map points from face units to OpenCV's fixed-point pixels, (N, 1, 2)."""
        placed = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.rint(placed * _SUBPIXEL).astype(np.int32)[:, None]

    def fill(self, shape: Points, color: Color) -> None:
        """Fill a closed shape."""
        cv2.fillPoly(self.pixels, [self.place(shape)], color, cv2.LINE_AA, _SHIFT)

    def disc(self, center: Points, radius: float, color: Color) -> None:
        """Fill a circle; the radius in face units."""
        x, y = self.place(center[None])[0, 0].tolist()
        size = max(1, round(radius * self.unit * _SUBPIXEL))
        cv2.circle(self.pixels, (x, y), size, color, -1, cv2.LINE_AA, _SHIFT)

    def stroke(self, line: Points, color: Color, width: float, *, closed: bool = False) -> None:
        """Draw a line of even width; the width in face units."""
        thickness = max(1, round(width * self.unit))
        cv2.polylines(
            self.pixels, [self.place(line)], closed, color, thickness, cv2.LINE_AA, _SHIFT
        )

    def strokes(self, lines: Points, color: Color, width: float) -> None:
        """Draw several lines of one color and width; the lines as (L, N, 2)."""
        thickness = max(1, round(width * self.unit))
        placed = self.place(lines.reshape(-1, 2)).reshape(*lines.shape[:2], 1, 2)
        cv2.polylines(self.pixels, list(placed), False, color, thickness, cv2.LINE_AA, _SHIFT)

    def taper(self, line: Points, widths: npt.NDArray[np.float64], color: Color) -> None:
        """Fill a band along a line.

        Args:
            line: Center line, (N, 2), in face units.
            widths: Full width at each point, (N,).
            color: Color of the band.
        """
        along = np.empty_like(line)
        along[1:-1] = line[2:] - line[:-2]
        along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
        length = np.hypot(along[:, 0], along[:, 1]) + 1e-9
        across = along[:, ::-1] * (-1.0, 1.0) * (0.5 * widths / length)[:, None]
        self.fill(np.concatenate((line + across, (line - across)[::-1])), color)

    def window(self, shape: Points, margin: float = 0.0) -> tuple[slice, slice]:
        """Return the rows and columns that contain a shape, clipped to the canvas."""
        placed = points_to_pixels(shape, self.matrix)
        low = np.floor(placed.min(axis=0) - margin * self.unit).astype(int)
        high = np.ceil(placed.max(axis=0) + margin * self.unit).astype(int) + 1
        height, width = self.pixels.shape[:2]
        columns = slice(int(np.clip(low[0], 0, width)), int(np.clip(high[0], 0, width)))
        return slice(int(np.clip(low[1], 0, height)), int(np.clip(high[1], 0, height))), columns

    def part(self, rows: slice, columns: slice) -> Canvas:
        """Return a canvas with a copy of a window, and the matching pose."""
        matrix = self.matrix.copy()
        matrix[:, 2] -= (columns.start, rows.start)
        return Canvas(self.pixels[rows, columns].copy(), matrix)

    def mask(self, shapes: Sequence[Points], rows: slice, columns: slice) -> Pixels:
        """Return the coverage of shapes over a window, uint8, 0–255."""
        blank = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        stencil = Canvas(blank, self.part(rows, columns).matrix)
        for shape in shapes:
            stencil.fill(shape, (255.0, 255.0, 255.0))
        return blank

    def blend(self, over: Pixels, coverage: Pixels, rows: slice, columns: slice) -> None:
        """Blend pixels over a window, with a coverage of 0–255."""
        weight = coverage * np.float32(1 / 255)
        under = self.pixels[rows, columns]
        self.pixels[rows, columns] = cv2.blendLinear(over, under, weight, 1 - weight)


def points_to_pixels(points: Points, matrix: Matrix) -> Points:
    """Map points by a 2×3 matrix, (N, 2)."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def shade(color: Color, factor: float) -> Color:
    """Return a color made darker (below 1) or lighter (above 1)."""
    red, green, blue = (min(255.0, max(0.0, value * factor)) for value in color)
    return red, green, blue


def mix(one: Color, two: Color, weight: float) -> Color:
    """Return a color between two; the weight is the second's."""
    red, green, blue = (a + (b - a) * weight for a, b in zip(one, two, strict=True))
    return red, green, blue
