"""Boxes and points of a face as datasets give them: what can be right, and what can't.

Lists hold boxes of NaN, without area, or far beyond the image, and points of another copy of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.findings import finding

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""

_BEYOND = 0.05  # of the longer side, by which an eye or a mouth corner may lie outside
_MOST_OUTSIDE = 1 / 3  # of all points: the jaw of a face is often cut off
_FLATTEST, _NARROWEST = 0.25, 6.0
"""Distance from eyes to mouth over that between the eyes; 1.2 in ArcFace's template. Faces that
look up or down have less, and profiles more, 3 to 4."""


def box_problem(box: Sequence[float]) -> str:
    """Say why a box is none, whatever the image; an empty string if it may be one.

    Args:
        box: x1, y1, x2, y2.
    """
    x1, y1, x2, y2 = map(float, box)
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        return "not finite"
    return "" if x2 > x1 and y2 > y1 else "no area"


def clean_faces(columns: dict[str, list[Any]]) -> None:
    """Take boxes and points out that are none whatever the image, and say so in `quality`.

    Boxes and points that don't fit their image are left to the stage that opens it: `cut_box` and
    `points_problem`.

    Args:
        columns: Values of the manifest's columns `box`, `five_points` and `landmarks`, None where
            a row has none; changed in place. `quality` is added where a row has a finding.
    """
    found: dict[int, list[str]] = {}
    for row, problem in _no_boxes(columns["box"]).items():
        columns["box"][row] = None
        found.setdefault(row, []).append(finding("box-dropped", problem))
    for name in ("five_points", "landmarks"):
        for row in _not_finite(columns[name]):
            for each in ("five_points", "landmarks", "landmark_scheme", "landmark_source"):
                columns[each][row] = None
            found.setdefault(row, []).append(finding("landmarks-dropped", "not finite"))
    if found:
        columns["quality"] = [found.get(row) for row in range(len(columns["box"]))]


def _no_boxes(values: Sequence[Any]) -> dict[int, str]:
    """Return the rows whose box is none, and why."""
    rows = [row for row, value in enumerate(values) if value is not None]
    if not rows:
        return {}
    boxes = np.array([values[row] for row in rows], np.float64).reshape(-1, 4)
    right = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return {rows[each]: box_problem(boxes[each].tolist()) for each in np.flatnonzero(~right)}


def _not_finite(values: Sequence[Any]) -> list[int]:
    """Return the rows whose points have a coordinate that is no number."""
    present = [value for value in values if value is not None]
    if not present or np.isfinite(np.concatenate(present, axis=None)).all():
        return []  # as nearly always: hundreds of thousands of rows with 68 points each
    return [
        row
        for row, value in enumerate(values)
        if value is not None and not np.isfinite(np.asarray(value, np.float32)).all()
    ]


def cut_box(box: Box | None, width: int, height: int) -> tuple[Box | None, str | None]:
    """Cut a dataset's box to its image.

    Args:
        box: The box as the dataset gives it.
        width: Width of the image in pixels.
        height: Height of the image in pixels.

    Returns:
        The box inside the image, None if nothing is left of it; and a finding, None if the box was
        right as it was.
    """
    if box is None:
        return None, None
    if problem := box_problem(box):
        return None, finding("box-dropped", problem)
    x1, y1 = max(box[0], 0.0), max(box[1], 0.0)
    x2, y2 = min(box[2], float(width)), min(box[3], float(height))
    if x2 <= x1 or y2 <= y1:
        return None, finding("box-dropped", "outside of the image")
    if (x1, y1, x2, y2) == tuple(box):
        return box, None
    outside = 1 - (x2 - x1) * (y2 - y1) / ((box[2] - box[0]) * (box[3] - box[1]))
    return (x1, y1, x2, y2), finding("box-cut", outside)


def points_problem(
    five: npt.NDArray[np.floating[Any]],
    points: npt.NDArray[np.floating[Any]],
    width: int,
    height: int,
) -> str:
    """Say why a dataset's landmarks can't be right; an empty string if they may be.

    Args:
        five: Eye centers, nose tip, mouth corners, image-left first, shape (5, 2), pixels.
        points: All points, shape (P, 2), pixels.
        width: Width of the image in pixels.
        height: Height of the image in pixels.
    """
    if not np.isfinite(five).all() or not np.isfinite(points).all():
        return "not finite"
    size = np.array([width, height])
    slack = _BEYOND * max(width, height)
    if (five < -slack).any() or (five > size + slack).any():
        return "outside of the image"
    outside = float(((points < 0) | (points > size)).any(axis=1).mean())
    if outside > _MOST_OUTSIDE:
        return f"{outside:.0%} of them outside of the image"
    return _shape_problem(five.astype(np.float64))


def _shape_problem(five: npt.NDArray[np.float64]) -> str:
    """Say why five points are no face's, however it is turned; an empty string if they may be."""
    eyes = five[1] - five[0]
    distance = float(np.hypot(*eyes))
    if distance < 1:
        return "the eyes are in one place"
    across = eyes / distance
    down = np.array([-across[1], across[0]])  # in images y grows downward
    middle = (five[0] + five[1]) / 2
    mouth = float(((five[3] + five[4]) / 2 - middle) @ down)
    if mouth <= 0 or float((five[4] - five[3]) @ across) < -0.1 * distance:
        return "left and right are exchanged"
    if not _FLATTEST <= mouth / distance <= _NARROWEST:
        return f"eyes and mouth {mouth / distance:.2g} eye distances apart"
    nose = float((five[2] - middle) @ down) / mouth
    return "" if -0.3 <= nose <= 1.3 else "the nose is not between eyes and mouth"
