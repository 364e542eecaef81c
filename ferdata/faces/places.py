"""Where faces lie in whole images, whatever the images' sizes; loads numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def square_fractions(points: Floats, sides: Floats) -> Floats:
    """Return points as fractions of the smallest square around each whole, centered image.

    Args:
        points: Pixels, shape (N, P, 2).
        sides: Widths and heights, shape (N, 2).

    Returns:
        float64 (N, P, 2): 0 is the square's left or upper edge, 1 the other.
    """
    sides = sides[:, None]
    longest = sides.max(axis=2, keepdims=True)
    # edge to edge as in `ferdata.faces.align`
    return np.asarray((points + 0.5 + (longest - sides) / 2) / longest, np.float64)


def points_in_image(fractions: npt.ArrayLike, width: int, height: int) -> Floats:
    """Return points given as fractions of the square in an image's pixels, the way back.

    Args:
        fractions: Shape (P, 2).
        width: Width of the image, pixels.
        height: Height of the image, pixels.
    """
    longest, sides = max(width, height), np.array([width, height], np.float64)
    return np.asarray(fractions, np.float64) * longest - (longest - sides) / 2 - 0.5


def median_place(points: Floats, sides: Floats) -> tuple[tuple[float, float], ...]:
    """Return the median place of five points, as fractions of the square around each whole image.

    Args:
        points: Pixels, shape (N, 5, 2), N > 0.
        sides: Widths and heights, shape (N, 2).
    """
    median = np.nanmedian(square_fractions(points, sides), axis=0)
    return tuple((round(float(x), 5), round(float(y), 5)) for x, y in median)
