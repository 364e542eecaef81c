"""`draw_face`: an image of a face with a given expression, and its ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.errors import OptionError
from ferdata.synth.expressions import Expression, draw_expression
from ferdata.synth.face import Face, five_points, head_box, shape_face
from ferdata.synth.identity import Identity, draw_identity
from ferdata.synth.paint import Matrix, Pixels, points_to_pixels
from ferdata.synth.render import render

MIN_SIZE = 32
"""Smallest side of an image in pixels."""

MAX_ROLL = 20.0
"""Largest in-plane rotation of a head, in degrees."""


@dataclass(frozen=True)
class DrawnFace:
    """An image and its ground truth; whole-number coordinates are pixel centers.

    Attributes:
        pixels: uint8 RGB, shape (H, W, 3).
        five_points: float32 (5, 2): image-left and image-right eye center, nose tip, image-left
            and image-right mouth corner.
        landmarks: float32 (68, 2), in the order of iBUG 300-W.
        box: float32 (4,), `x1 y1 x2 y2`: jaw and forehead, clipped to the image.
        identity: The person that was drawn.
    """

    pixels: Pixels
    five_points: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    box: npt.NDArray[np.float32]
    identity: Identity


@dataclass(frozen=True)
class Framing:
    """Size and place of a face in its image.

    Attributes:
        eye_distance: Smallest and largest distance of the eyes, as a fraction of the image's
            shorter side.
        center: Place of the nose's root, as fractions of width and height.
        shift: Largest deviation from that place, as a fraction of the shorter side.
    """

    eye_distance: tuple[float, float]
    center: tuple[float, float]
    shift: float


CLOSE = Framing(eye_distance=(0.29, 0.345), center=(0.5, 0.385), shift=0.035)
"""A face crop such as RAF-DB's aligned images: brow to chin fill the image."""

SCENE = Framing(eye_distance=(0.16, 0.24), center=(0.5, 0.42), shift=0.08)
"""A photograph: head and shoulders with a margin around them."""


def draw_face(
    expression: str | Expression,
    generator: np.random.Generator,
    size: int | tuple[int, int] = 100,
    *,
    framing: Framing = CLOSE,
    identity: Identity | None = None,
    max_roll: float = MAX_ROLL,
) -> DrawnFace:
    """Draw a face.

    Args:
        expression: A canonical name, of which a version is drawn, or exact movements.
        generator: Source of all random numbers: same state, same bytes.
        size: Side of a square image in pixels, or width and height.
        framing: Size and place of the face.
        identity: The person to draw; default: a random one.
        max_roll: Largest in-plane rotation, in degrees.

    Raises:
        UnknownNameError: The expression is not a canonical name.
        OptionError: The image is smaller than `MIN_SIZE` a side.
    """
    width, height = (size, size) if isinstance(size, int) else size
    if min(width, height) < MIN_SIZE:
        raise OptionError(f"size {width}×{height}: faces need at least {MIN_SIZE} pixels a side")
    person = identity or draw_identity(generator)
    if isinstance(expression, str):
        expression = draw_expression(expression, generator)
    turn, nod = generator.normal(0.0, (0.09, 0.06)).clip(-0.22, 0.22).tolist()
    face = shape_face(person, expression, turn=turn, nod=nod)
    matrix = _draw_pose(face, width, height, framing, max_roll, generator)
    pixels = render(face, matrix, width, height, generator)
    landmarks = points_to_pixels(face.landmarks(), matrix)
    corners = points_to_pixels(head_box(face), matrix)
    limits = np.array([width - 1, height - 1])
    box = np.concatenate((corners.min(axis=0).clip(0, limits), corners.max(axis=0).clip(0, limits)))
    return DrawnFace(
        pixels=pixels,
        five_points=five_points(landmarks),
        landmarks=landmarks.astype(np.float32),
        box=box.astype(np.float32),
        identity=person,
    )


def _draw_pose(
    face: Face,
    width: int,
    height: int,
    framing: Framing,
    max_roll: float,
    generator: np.random.Generator,
) -> Matrix:
    """Draw scale, in-plane rotation and place such that all landmarks lie in the image."""
    side = min(width, height)
    scale = side * float(generator.uniform(*framing.eye_distance))
    roll = float(generator.normal(0.0, 0.45 * max_roll))
    roll = min(max(roll, -max_roll), max_roll)
    shift = generator.uniform(-framing.shift, framing.shift, 2) * side
    matrix = np.asarray(cv2.getRotationMatrix2D((0.0, 0.0), -roll, scale), np.float64)
    matrix[:, 2] = np.array(framing.center) * (width, height) - 0.5 + shift
    # The face turns about its middle, not about the nose's root.
    middle = np.array([0.0, 0.45])
    matrix[:, 2] += middle * scale - matrix[:, :2] @ middle
    return _fitted(matrix, face, width, height)


def _fitted(matrix: Matrix, face: Face, width: int, height: int) -> Matrix:
    """Shrink and shift a pose as little as possible to bring all 68 points into the image."""
    margin = 1.5
    space = np.array([width, height]) - 1 - 2 * margin
    points = points_to_pixels(face.landmarks(), matrix)
    extent = points.max(axis=0) - points.min(axis=0)
    matrix = matrix * min(1.0, float((space / extent).min()))
    points = points_to_pixels(face.landmarks(), matrix)
    low, high = points.min(axis=0), points.max(axis=0)
    limits = np.array([width, height]) - 1 - margin
    matrix[:, 2] += np.maximum(margin - low, 0.0) - np.maximum(high - limits, 0.0)
    return matrix
