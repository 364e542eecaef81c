"""The operations of a copy: stored in its row as JSON, rendered from there.

The JSON is a list in the order of application, for instance
`[{"op":"horizontal_flip"},{"op":"brightness","factor":1.1342}]`. It is complete: rendering needs no
seed, no range and no other row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ferdata.augmentation.operations import KINDS, Pixels, Points
from ferdata.core.errors import ManifestError, ParseError
from ferdata.core.parsing import parse_json
from ferdata.faces.schemes import scheme as scheme_named

Given: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Augmented:
    """An image after its operations, and the points on it.

    Attributes:
        pixels: uint8 RGB, shape (H, W, 3).
        landmarks: float64, shape (P, 2), output pixels; NaN where unknown; P = 0 if there are none.
        five_points: float64, shape (5, 2); NaN where unknown.
        box: float64 x1, y1, x2, y2, shape (4,); NaN where unknown.
    """

    pixels: Pixels
    landmarks: Points
    five_points: Points
    box: Points


def parse_operations(text: str | None) -> list[dict[str, Any]]:
    """Parse and check the `operations` of a row.

    Args:
        text: The JSON; None or empty for a source image.

    Returns:
        One mapping for each operation, with its name under `"op"` and its values.

    Raises:
        ManifestError: It is not a list of operations with the values that they need.
        UnknownNameError: There is no such operation.
    """
    if not text:
        return []
    try:
        entries = parse_json(text)
    except ParseError as error:
        raise ManifestError(f"operations are {error}: {text!r}") from error
    if not isinstance(entries, list):
        raise ManifestError(f"operations are not a list: {text!r}")
    for entry in entries:
        _check_entry(entry, text)
    return entries


def _check_entry(entry: Any, text: str) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("op"), str):
        raise ManifestError(f"an operation needs a name under 'op': {text!r}")
    kind = KINDS.get(entry["op"])
    values = {name: value for name, value in entry.items() if name != "op"}
    if not kind.takes(values):
        takes = f"{', '.join(kind.drawn)}: {kind.expects}" if kind.drawn else "no values"
        raise ManifestError(f"{kind.name} takes {takes}; got {text!r}")


def apply_operations(
    pixels: Pixels,
    operations: str | None,
    *,
    landmarks: Given | None = None,
    scheme: str | None = None,
    five_points: Given | None = None,
    box: Given | None = None,
) -> Augmented:
    """Render a copy from the `operations` of its row and the rendered image of its parent.

    Points are carried in float64, so that flipping twice restores float32 coordinates exactly (for
    coordinates of at least 2⁻²⁰ pixels in size, or 0, in images up to 4096 wide). Operations that
    move the face move its points through the same map, even out of the image; a box becomes the
    upright box around its moved corners.

    Args:
        pixels: uint8 RGB, shape (H, W, 3), after alignment and resizing; not changed.
        operations: The JSON of the row; None or empty changes nothing.
        landmarks: Shape (P, 2), pixels of this image; NaN stays NaN.
        scheme: The scheme of the landmarks, if there are any.
        five_points: Shape (5, 2), in the order of the scheme `five`.
        box: x1, y1, x2, y2, shape (4,).

    Raises:
        ManifestError: The operations are malformed, or the landmarks are not of the scheme.
        UnknownNameError: An operation, a transform or the scheme is unknown.
        OptionError: A transform of albumentations can't be applied to this image.
    """
    points = _array(landmarks, (0, 2))
    five = _array(five_points, (5, 2))
    corners = _array(box, (4,))
    for entry in parse_operations(operations):
        kind = KINDS.get(entry["op"])
        if kind.mirrors:
            pixels = kind.render(pixels, entry)
            width = pixels.shape[1]
            points = _mirror(points, scheme, width)
            five = _mirror(five, "five", width)
            corners = _mirror_box(corners, width)
        elif kind.moves:
            everything = np.concatenate([points, five, _corners(corners)])
            pixels, moved = kind.carry(pixels, everything, entry)
            if moved is not everything:
                points, five, corners = moved[:-9], moved[-9:-4], _box_around(moved[-4:])
        else:
            pixels = kind.render(pixels, entry)
    return Augmented(np.ascontiguousarray(pixels), points, five, corners)


def _array(values: Given | None, shape: tuple[int, ...]) -> Points:
    if values is None:
        return np.full(shape, np.nan)
    return np.array(values, dtype=np.float64)


def _mirror(points: Points, scheme: str | None, width: int) -> Points:
    """Mirror points about the vertical axis of the image, and exchange left and right ones."""
    if not len(points):
        return points
    if scheme is None:
        raise ManifestError("landmarks without a scheme can't be flipped; fill landmark_scheme")
    known = scheme_named(scheme)
    if len(points) != known.size:
        raise ManifestError(
            f"{len(points)} landmarks are not of the scheme {scheme!r}, which has {known.size}"
        )
    return known.mirror(points, width)


def _mirror_box(box: Points, width: int) -> Points:
    """Mirror a box; its right side becomes the left one, so that x1 < x2."""
    x1, y1, x2, y2 = box
    return np.array([(width - 1) - x2, y1, (width - 1) - x1, y2])


def _corners(box: Points) -> Points:
    """Return the four corners of a box, shape (4, 2)."""
    return box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2)


def _box_around(corners: Points) -> Points:
    """Return the upright box around moved corners; NaN if one of them is."""
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])
