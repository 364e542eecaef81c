"""Placing one image, of a build or new, by the alignment of a build."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.faces.align import Matrix, alignment_matrix, determine_scale
from ferdata.faces.places import points_in_image
from ferdata.faces.plausible import eye_shares, wrong_order
from ferdata.faces.set_alignment import SetAlignment


def image_matrix(
    alignment: SetAlignment,
    five_points: npt.NDArray[Any] | None,
    width: int,
    height: int,
    size: int,
    *,
    framing: str,
    dataset: str | None = None,
) -> Matrix:
    """Return the map from an image to the output.

    Args:
        alignment: The build's alignment.
        five_points: float (5, 2), pixels of the image; None or NaN if unknown: then the set's
            median place is used, and without one the whole image is scaled to fit.
        width: Width of the image, pixels.
        height: Height of the image, pixels.
        size: Side of the output, pixels.
        framing: `crop` or `photograph`.
        dataset: The image's dataset; None for a new image.

    Returns:
        float64 (2, 3), from pixels of the image to pixels of the output.
    """
    kind, margin, shift = alignment.kind(framing), alignment.margin, alignment.shift
    if kind == "five" and (
        five_points is None or not determine_scale(np.asarray(five_points, np.float64))
    ):
        place = alignment.place(framing, dataset)
        five_points = None if place is None else points_in_image(place.five_points, width, height)
    return alignment_matrix(kind, five_points, width, height, size, margin, shift)


def accepts_face(
    alignment: SetAlignment,
    five_points: npt.NDArray[Any],
    width: int,
    height: int,
    *,
    framing: str,
) -> bool:
    """Tell whether the points found in a new image are plausible, as the build checked its own.

    Args:
        alignment: The build's alignment.
        five_points: float (5, 2), pixels.
        width: Width of the image, pixels.
        height: Height of the image, pixels.
        framing: In a `crop` the face also has to have the size that those of the build have.
    """
    points = np.asarray(five_points, np.float64)[None]
    if bool(wrong_order(points)[0]):
        return False
    place = alignment.place(framing) if framing == "crop" else None
    if place is None or place.eyes is None:
        return True
    share = float(eye_shares(points, np.array([[width, height]], np.float64))[0])
    return place.eyes[0] <= share <= place.eyes[1]
