"""Skin: lit head, ears and neck, blush, stubble, and the lines of a moving face."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.synth.face import LEFT, RIGHT, Face, Points, moved
from ferdata.synth.identity import Gender
from ferdata.synth.light import LEFT_EDGE, STEP, TOP_EDGE, Map, light_map
from ferdata.synth.paint import Canvas, Matrix, Pixels

_MAP_TO_FACE = np.array([[STEP, 0.0, LEFT_EDGE], [0.0, STEP, TOP_EDGE], [0.0, 0.0, 1.0]])

# Shadows on skin turn warm: blue falls off faster than red.
_WARMTH = np.array([0.90, 1.04, 1.12], np.float32)

_CIRCLE = np.column_stack(
    (np.cos(np.linspace(0, 2 * np.pi, 16)), np.sin(np.linspace(0, 2 * np.pi, 16)))
)


class LitSkin:
    """The skin's colors under a light, in face units; see `light_map` for the arguments."""

    def __init__(self, face: Face, direction: tuple[float, float, float], ambient: float) -> None:
        self.light: Map = light_map(face, direction, ambient)
        self.colors: Pixels = _colors(face, self.light)

    def brightness(self, x: float, y: float) -> float:
        """Return the light at a place in face units, around 1."""
        row = min(max(round((y - TOP_EDGE) / STEP), 0), self.light.shape[0] - 1)
        column = min(max(round((x - LEFT_EDGE) / STEP), 0), self.light.shape[1] - 1)
        return float(self.light[row, column])


def paint_skin(canvas: Canvas, face: Face, skin: LitSkin) -> None:
    """Paint ears, neck and head with their lines."""
    shapes = [_ear(face, LEFT), _ear(face, RIGHT), _neck(face), face.outline]
    rows, columns = canvas.window(np.concatenate(shapes))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    size = (columns.stop - columns.start, rows.stop - rows.start)
    pose = canvas.matrix.copy()
    pose[:, 2] -= (columns.start, rows.start)
    colors = cv2.warpAffine(
        skin.colors,
        pose @ _MAP_TO_FACE,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    lines = _lines(face, size, pose)
    colors = cv2.multiply(colors, cv2.merge((lines, lines, lines)), scale=1 / 255)
    canvas.blend(np.asarray(colors, np.uint8), canvas.mask(shapes, rows, columns), rows, columns)


def _colors(face: Face, light: Map) -> Pixels:
    """Skin tone times light, with blush and stubble, uint8, shape of the light map and 3."""
    identity = face.identity
    tone = np.asarray(identity.skin, np.float32)
    colors = tone * light[:, :, None] ** _WARMTH
    face_to_map = np.linalg.inv(_MAP_TO_FACE)[:2]
    blush = np.zeros(light.shape, np.uint8)
    cheeks = Canvas(blush, face_to_map)
    for side in (LEFT, RIGHT):
        cheeks.disc(np.array([side * 0.62, 0.60]), 0.20, (255.0, 255.0, 255.0))
    cheeks.disc(face.bridge[3], 0.10, (160.0, 160.0, 160.0))
    blush = np.asarray(cv2.GaussianBlur(blush, (9, 9), 2.4), np.uint8)
    strength = 0.16 + 0.06 * face.expression.cheek
    red = np.array([1.0, 0.72, 0.70], np.float32)
    colors *= 1.0 + (blush[:, :, None] * np.float32(strength / 255)) * (red - 1.0)
    if identity.beard:
        _grow_beard(colors, face, face_to_map, light)
    return colors.clip(0, 255).astype(np.uint8)


def _grow_beard(
    colors: npt.NDArray[np.float32], face: Face, face_to_map: Matrix, light: Map
) -> None:
    """Mix hair color into cheeks, chin and upper lip."""
    grown = np.zeros(light.shape, np.uint8)
    stencil = Canvas(grown, face_to_map)
    nose = float(face.nostrils[2, 1])
    jaw = face.jaw[2:15]
    upper = np.array([[0.72, 0.80], [0.40, nose + 0.12], [0.0, nose + 0.06],
                      [-0.40, nose + 0.12], [-0.72, 0.80]])  # fmt: skip
    stencil.fill(np.concatenate((jaw * (1.0, 1.02), upper)), (255.0, 255.0, 255.0))
    mouth = face.mouth
    hole = np.concatenate((mouth.upper_edge, mouth.lower_edge[::-1]))
    stencil.fill((hole - hole.mean(axis=0)) * 1.12 + hole.mean(axis=0), (0.0, 0.0, 0.0))
    grown = np.asarray(cv2.GaussianBlur(grown, (5, 5), 1.2), np.uint8)
    strength = 0.28 if face.identity.beard == "stubble" else 0.80
    weight = grown[:, :, None] * np.float32(strength / 255)
    hair = np.asarray(face.identity.hair, np.float32) * 0.95 * light[:, :, None]
    colors += weight * (hair - colors)


def _lines(face: Face, size: tuple[int, int], pose: Matrix) -> Pixels:
    """Draw folds and wrinkles as soft darkening; uint8, 255 on smooth skin."""
    lines = np.full((size[1], size[0]), 255, np.uint8)
    pen = Canvas(lines, pose)
    # The head casts a shadow on the neck.
    pen.fill(_neck(face), (178.0, 178.0, 178.0))
    pen.fill(face.outline, (255.0, 255.0, 255.0))
    for line, depth, width in _soft_lines(face):
        dark = 255.0 * (1.0 - min(1.0, depth))
        pen.stroke(line, (dark, dark, dark), width)
    sigma = max(0.4, 0.016 * pen.unit)
    return np.asarray(cv2.GaussianBlur(lines, (0, 0), sigma), np.uint8)


def _soft_lines(face: Face) -> list[tuple[Points, float, float]]:
    """Return the skin's lines, each with its depth 0–1 and its width in face units."""
    identity, expression = face.identity, face.expression
    wrinkles = identity.wrinkles
    lines: list[tuple[Points, float, float]] = []
    for eye in face.eyes:
        lines.append((eye.crease, 0.30, 0.03))
        bag = moved(eye.lower[2:11], 0.0, 0.055)
        depth = 0.14 + 0.35 * max(expression.lower_lid, 0.0) + 0.20 * wrinkles
        lines.append((bag, depth, 0.03))
    lines += _nose_lines(face)
    for side, fold in ((LEFT, expression.fold_left), (RIGHT, expression.fold_right)):
        depth = 0.34 * max(fold, 0.0) + 0.12 * wrinkles
        if depth > 0.05:
            lines.append((_fold(face, side), depth, 0.03))
    if expression.frown_lines + wrinkles > 0.15:
        depth = 0.45 * expression.frown_lines + 0.10 * wrinkles
        inner = 0.5 * (face.brows[0][0] + face.brows[1][0])
        for side in (LEFT, RIGHT):
            x = inner[0] + side * 0.07
            upright = np.array([[x, inner[1] - 0.06], [x - side * 0.015, inner[1] + 0.13]])
            lines.append((upright, depth, 0.035))
    if expression.forehead_lines + wrinkles > 0.15:
        depth = 0.26 * expression.forehead_lines + 0.14 * wrinkles
        top = -identity.brow_height - 0.06 - max(expression.brow_inner, 0.0)
        x = np.linspace(-0.52, 0.52, 9)
        for row in range(2):
            y = top - 0.12 - 0.11 * row + 0.03 * np.cos(3.0 * x)
            lines.append((np.column_stack((x * (1.0 - 0.12 * row), y)), depth, 0.03))
    return lines


def _nose_lines(face: Face) -> list[tuple[Points, float, float]]:
    """Return the lines of wings and ridge."""
    expression = face.expression
    tip = face.bridge[3]
    lines: list[tuple[Points, float, float]] = []
    for side, wing in ((LEFT, face.nostrils[0]), (RIGHT, face.nostrils[4])):
        curve = wing + np.array([[-side * 0.05, -0.11], [side * 0.015, -0.07],
                                 [side * 0.03, -0.01], [side * 0.005, 0.04],
                                 [-side * 0.04, 0.055]])  # fmt: skip
        lines.append((curve, 0.34, 0.03))
    if expression.nose_wrinkle > 0.15:
        root = face.bridge[0]
        for row in range(3):
            y = root[1] + 0.06 + 0.085 * row
            x = root[0] + 0.3 * (tip[0] - root[0])
            wave = np.array(
                [[x - 0.13, y + 0.045], [x - 0.06, y], [x + 0.06, y], [x + 0.13, y + 0.045]]
            )
            lines.append((wave, 0.40 * expression.nose_wrinkle, 0.028))
    return lines


def _fold(face: Face, side: int) -> Points:
    """Return the fold from the nose's wing around the mouth's corner."""
    wing = face.nostrils[0] if side == LEFT else face.nostrils[4]
    corner = face.mouth.upper_edge[0 if side == LEFT else 12]
    start = moved(wing, side * 0.04, -0.05)
    end = moved(corner, side * 0.10, 0.08)
    control = np.array([max(side * start[0], side * end[0]) * side,
                        0.62 * start[1] + 0.38 * end[1]])  # fmt: skip
    t = np.linspace(0.0, 1.0, 8)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)


def _ear(face: Face, side: int) -> Points:
    temple = face.jaw[0 if side == LEFT else 16]
    center = moved(temple, side * 0.02 - 0.25 * face.turn, 0.22)
    return np.asarray(center + _CIRCLE * (0.15, 0.30))


def _neck(face: Face) -> Points:
    width = 0.60 if face.identity.gender is Gender.FEMALE else 0.70
    return np.array([[-width, 0.9], [width, 0.9], [width, 1.95], [width + 0.08, 2.16],
                     [0.45 * width, 2.46], [0.0, 2.54], [-0.45 * width, 2.46],
                     [-width - 0.08, 2.16], [-width, 1.95]])  # fmt: skip
