"""What a face detector returns for one image, and the rule that chooses among several faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ferdata.core.face_geometry import Box

__all__ = ["Box", "Detection", "choose", "extent", "overlap"]


@dataclass(frozen=True, eq=False)
class Detection:
    """One face, chosen among those found in an image.

    Attributes:
        landmarks: float32 (P, 2) of the detector's scheme, pixels of the image, integers at pixel
            centers.
        face_count: How many faces were found.
        rule: How this one was chosen: `only`, `nearest-box` (nearest to the center of the given
            box) or `largest`, or a word of the detector's own; with `/border` if it was found only
            after a border was added.
        score: Confidence in this face, 0–1; None if the detector has none or was not asked.
        blendshapes: float32 (`ferdata.core.schema.BLENDSHAPES`,), 0–1; None if not asked for.
    """

    landmarks: npt.NDArray[np.float32]
    face_count: int
    rule: str
    score: float | None = None
    blendshapes: npt.NDArray[np.float32] | None = None


def extent(points: npt.NDArray[np.float32]) -> Box:
    """Return the smallest box around points, shape (P, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def choose(boxes: Sequence[Box], given: Box | None) -> tuple[int, str]:
    """Choose the face nearest to a given box, else the largest; the first of equals.

    Args:
        boxes: Extents of the faces, at least one.
        given: The dataset's box of the labeled face, if it has one.

    Returns:
        Position of the chosen face, and the rule that chose it.
    """
    if len(boxes) == 1:
        return 0, "only"
    if given is not None:
        distances = [_distance(box, given) for box in boxes]
        return int(np.argmin(distances)), "nearest-box"
    return int(np.argmax([_area(box) for box in boxes])), "largest"


def overlap(a: Box, b: Box) -> float:
    """Return intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (_area(a) + _area(b) - common)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _distance(a: Box, b: Box) -> float:
    """Squared distance of the centers, times four."""
    return (a[0] + a[2] - b[0] - b[2]) ** 2 + (a[1] + a[3] - b[1] - b[3]) ** 2
