"""Whether five points can be those of a face, and of a face of their set.

An image is not aligned by points that fail. The distance of the eyes is the one that all five
points together imply, by the similarity to the template: it hardly changes when a head turns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ferdata.core.list_columns import vectors
from ferdata.core.manifest import Manifest
from ferdata.faces.align import ARCFACE_TEMPLATE, similarities
from ferdata.faces.face_rows import FaceRows, Floats, Mask
from ferdata.faces.set_alignment import EyeRange

ORDER = "order of the five points"
BOX = "distance of the eyes for the box"
SET = "distance of the eyes for the set"

_TEMPLATE_EYES = float(np.linalg.norm(ARCFACE_TEMPLATE[1] - ARCFACE_TEMPLATE[0]))

_BOX_RANGE = (0.12, 0.9)  # eye distance by longer side of a box; boxes hold a face or a whole head
_BOX_REACH = 0.25  # how far outside a box, in sides, the middle of the points may lie
_FEWEST = 20  # faces that make a distribution
_DEVIATIONS = 4.0  # robust standard deviations of the logarithm
_LEAST_FACTOR = 1.6  # the range of a set whose faces are all alike
_TOLERANCE = 0.1  # of the distance from eyes to mouth: a full profile's far eye is a guess


@dataclass
class FaceCheck:
    """What was found.

    Attributes:
        findings: For each row what is wrong with its points, or None.
        ranges: Plausible distance of the eyes by dataset and framing, where there are enough faces.
    """

    findings: list[str | None]
    ranges: dict[tuple[str, str], EyeRange] = field(default_factory=dict)


def check_faces(manifest: Manifest) -> FaceCheck:
    """Check the five points of all rows; those of a dataset as well as those of a detector."""
    rows = FaceRows.of(manifest)
    boxes = vectors(manifest.table.column("box")).astype(np.float64)
    order = wrong_order(rows.points)
    box = ~order & _wrong_for_box(rows.points, boxes)
    check = FaceCheck([ORDER if a else BOX if b else None for a, b in zip(order, box, strict=True)])
    shares = eye_shares(rows.points, rows.sides)
    for dataset, framing, mask in rows.sets():
        good = mask & ~order & ~box & np.isfinite(shares)
        if good.sum() < _FEWEST:
            continue
        low, high = check.ranges[dataset, framing] = _plausible_range(shares[good])
        for row in np.flatnonzero(good & ~((shares >= low) & (shares <= high))):
            check.findings[row] = SET
    return check


def wrong_order(points: Floats) -> Mask:
    """Tell which points can't be a face's: eyes or mouth mirrored, nose far from the middle.

    Args:
        points: float64 (N, 5, 2); NaN where unknown.

    Returns:
        bool (N,), false where unknown.
    """
    left_eye, right_eye, nose, left_mouth, right_mouth = np.moveaxis(points, 1, 0)
    eyes, mouth = right_eye - left_eye, right_mouth - left_mouth
    middle = (left_eye + right_eye) / 2
    down = (left_mouth + right_mouth) / 2 - middle
    square = (down**2).sum(axis=1)
    along = ((nose - middle) * down).sum(axis=1) / np.maximum(square, 1e-9)
    # In a frame whose second axis leads from eyes to mouth, left points lie left of right ones.
    mirrored = [_cross(each, down) < -_TOLERANCE * square for each in (eyes, mouth)]
    too_flat = square * 16 < np.maximum((eyes**2).sum(axis=1), (mouth**2).sum(axis=1))
    outside = (along < -0.25) | (along > 1.25)
    return np.asarray(mirrored[0] | mirrored[1] | too_flat | outside)


def eye_shares(points: Floats, sides: Floats) -> Floats:
    """Return the implied distance of the eyes as a fraction of each image's longer side.

    Args:
        points: float64 (N, 5, 2), pixels; NaN where unknown.
        sides: Widths and heights, float64 (N, 2).

    Returns:
        float64 (N,), NaN where unknown.
    """
    return np.asarray(_implied_eyes(points) / sides.max(axis=1))


def _implied_eyes(points: Floats) -> Floats:
    """Return the distance of the eyes in the image, pixels, that fits all five points best."""
    matrices = similarities(points, ARCFACE_TEMPLATE)
    return np.asarray(_TEMPLATE_EYES / np.hypot(matrices[:, 0, 0], matrices[:, 1, 0]))


def _wrong_for_box(points: Floats, boxes: Floats) -> Mask:
    """Tell which points don't fit the dataset's box of the face; false where there is none."""
    low, high = boxes[:, :2], boxes[:, 2:]
    side = (high - low).max(axis=1)
    known = np.isfinite(boxes).all(axis=1) & ((high - low).min(axis=1) > 0)
    share = _implied_eyes(points) / np.where(known, side, 1.0)
    middle, reach = points.mean(axis=1), _BOX_REACH * side[:, None]
    away = ((middle < low - reach) | (middle > high + reach)).any(axis=1)
    return np.asarray(known & (away | (share < _BOX_RANGE[0]) | (share > _BOX_RANGE[1])))


def _plausible_range(shares: Floats) -> EyeRange:
    """Return median times and by a factor that widens with the set's own spread."""
    logarithms = np.log(shares)
    median = float(np.median(logarithms))
    deviation = 1.4826 * float(np.median(np.abs(logarithms - median)))  # of a normal distribution
    reach = max(_DEVIATIONS * deviation, float(np.log(_LEAST_FACTOR)))
    low, high = np.exp([median - reach, median + reach]).tolist()
    return round(low, 4), round(high, 4)


def _cross(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
