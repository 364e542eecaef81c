"""How light falls on a face: a height map of the head, lit from one side (Lambert's law).

The map is computed at a low resolution, in face units, and warped onto the image, so that shading
is cheap and follows the face's pose.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.synth.face import Face

Map = npt.NDArray[np.float32]

STEP = 0.055
"""Side of one cell of the map, in face units."""

LEFT_EDGE, TOP_EDGE = -2.0, -2.2
"""Face coordinates of the map's first cell."""

_X = (LEFT_EDGE + STEP * np.arange(73)).astype(np.float32)
_Y = (TOP_EDGE + STEP * np.arange(90)).astype(np.float32)


def _bump(x: float, y: float, width: float, height: float) -> Map:
    """A hill with a Gaussian profile, 1 at its top; an outer product, for speed."""
    across = np.exp(-0.5 * ((_X - x) / width) ** 2)
    down = np.exp(-0.5 * ((_Y - y) / height) ** 2)
    return np.outer(down, across)


def light_map(
    face: Face, direction: tuple[float, float, float], ambient: float
) -> npt.NDArray[np.float32]:
    """Compute the brightness of each place of the head.

    Args:
        face: The face.
        direction: Direction of the light source in face axes: right, down, toward the viewer.
        ambient: Fraction of light from all directions, 0–1.

    Returns:
        Brightness around 1 on cells of `STEP`, float32, shape (90, 73).
    """
    height = _relief(face)
    slope_y, slope_x = np.gradient(height, np.float32(STEP))
    light = np.asarray(direction, np.float32)
    light = light / np.linalg.norm(light)
    facing = light[2] - slope_x * light[0] - slope_y * light[1]
    facing /= np.sqrt(1.0 + slope_x**2 + slope_y**2)
    lit = ambient + (1.0 - ambient) * 1.18 * np.maximum(facing, 0.0)
    lit *= 1.0 - _hollows(face)
    return np.asarray(cv2.GaussianBlur(lit.astype(np.float32), (3, 3), 0.8).clip(0.3, 1.2))


def _relief(face: Face) -> Map:
    """Height of the head toward the viewer, in face units."""
    identity, expression = face.identity, face.expression
    middle = 0.10 * face.turn
    across = ((_X - middle) / (identity.face_width * 1.10)) ** 2
    down = ((_Y - 0.05) / 1.85) ** 2
    head = 0.95 * np.sqrt(np.maximum(1.0 - across[None, :] - down[:, None], 0.06))
    tip_x, tip_y = face.bridge[3]
    left_wing, right_wing = face.nostrils[0], face.nostrils[4]
    relief: Map = head.astype(np.float32)
    relief += 0.17 * _bump(0.55 * tip_x, 0.55 * tip_y, 0.085, 0.24)
    relief += 0.20 * _bump(tip_x, tip_y, 0.105, 0.105)
    for x, y in (left_wing, right_wing):
        relief += 0.08 * _bump(0.82 * x + 0.18 * tip_x, y - 0.01, 0.065, 0.065)
    for eye, side in zip(face.eyes, (-1, 1), strict=True):
        relief -= 0.075 * _bump(side * 0.46, -0.04, 0.22, 0.12)
        relief += 0.028 * _bump(float(eye.iris[0]), float(eye.iris[1]), 0.15, 0.09)
        relief += 0.05 * _bump(side * 0.50, -identity.brow_height + 0.02, 0.28, 0.07)
        cheek = 0.05 + 0.07 * expression.cheek
        relief += cheek * _bump(side * 0.60, 0.55 - 0.08 * expression.cheek, 0.22, 0.17)
    mouth = face.mouth
    lower = 0.5 * (mouth.lower_gap[6, 1] + mouth.lower_edge[6, 1])
    relief += 0.05 * _bump(float(mouth.lower_gap[6, 0]), float(lower), 0.22, 0.055)
    relief += 0.06 * _bump(0.0, float(face.jaw[8, 1]) - 0.20, 0.20, 0.13)
    return relief


def _hollows(face: Face) -> Map:
    """Occlusion, 0–1: beside the nose's root, under it, under lip and chin."""
    mouth = face.mouth
    tip_x, tip_y = (float(value) for value in face.bridge[3])
    chin = float(face.jaw[8, 1])
    hollow = 0.40 * _bump(0.0, chin + 0.22, 0.75, 0.16)
    hollow += 0.22 * _bump(tip_x, tip_y + 0.15, 0.15, 0.045)
    hollow += 0.16 * _bump(float(mouth.lower_edge[6, 0]), float(mouth.lower_edge[6, 1]) + 0.06,
                           0.17, 0.04)  # fmt: skip
    for side in (-1, 1):
        hollow += 0.16 * _bump(side * 0.24, 0.0, 0.07, 0.10)
        hollow += 0.08 * _bump(side * 0.48, 0.15, 0.18, 0.05)
    return hollow
