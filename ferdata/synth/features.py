"""Brows, eyes, nose and mouth, painted onto the skin."""

from __future__ import annotations

import numpy as np

from ferdata.synth.face import LEFT, RIGHT, Eye, Face, moved
from ferdata.synth.identity import Gender
from ferdata.synth.paint import Canvas, mix, shade
from ferdata.synth.skin import LitSkin

_WHITE = (240.0, 236.0, 232.0)
_LASHES = (34.0, 24.0, 22.0)
_TEETH = (242.0, 238.0, 226.0)
_MOUTH_INSIDE = (66.0, 20.0, 24.0)
_TONGUE = (170.0, 76.0, 78.0)


def paint_features(canvas: Canvas, face: Face, skin: LitSkin, gaze: tuple[float, float]) -> None:
    """Paint all features.

    Args:
        canvas: The canvas.
        face: The shapes.
        skin: The lit skin under the features.
        gaze: Shift of the irises, right and down, in face units.
    """
    for side, eye in zip((LEFT, RIGHT), face.eyes, strict=True):
        _paint_eye(canvas, face, eye, side, skin, gaze)
    _paint_brows(canvas, face, skin)
    _paint_nostrils(canvas, face, skin)
    _paint_mouth(canvas, face, skin)


def _paint_eye(
    canvas: Canvas, face: Face, eye: Eye, side: int, skin: LitSkin, gaze: tuple[float, float]
) -> None:
    opening = np.concatenate((eye.upper, eye.lower[::-1]))
    rows, columns = canvas.window(opening, 0.03)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    light = 0.35 + 0.65 * skin.brightness(side * 0.5, 0.0)
    ball = canvas.part(rows, columns)
    ball.fill(opening * (1.0, 1.3), shade(_WHITE, light))
    iris = eye.iris + gaze
    color = shade(face.identity.iris, 0.6 + 0.4 * light)
    ball.disc(iris, eye.iris_radius, shade(color, 0.55))
    ball.disc(iris, 0.84 * eye.iris_radius, color)
    ball.disc(iris, 0.42 * eye.iris_radius, (12.0, 10.0, 10.0))
    # The upper lid casts a shadow on the eyeball.
    ball.stroke(moved(eye.upper, 0.0, 0.012), shade(color, 0.45), 0.024)
    ball.disc(moved(iris, 0.03, -0.035), 0.022, (250.0, 250.0, 250.0))
    canvas.blend(ball.pixels, canvas.mask([opening], rows, columns), rows, columns)
    woman = face.identity.gender is Gender.FEMALE
    widths = (0.026 + 0.022 * woman) * np.linspace(0.55, 1.1, 13)
    canvas.taper(moved(eye.upper, 0.0, -0.006), widths, _LASHES)
    lower = mix(face.identity.skin, _LASHES, 0.35 + 0.15 * woman)
    canvas.stroke(eye.lower[1:12], shade(lower, light), 0.014)
    canvas.disc(
        moved(eye.upper[0], side * 0.022, 0.004), 0.016, shade((196.0, 120.0, 112.0), light)
    )


def _paint_brows(canvas: Canvas, face: Face, skin: LitSkin) -> None:
    identity = face.identity
    hair = mix(identity.hair, (30.0, 22.0, 20.0), 0.35)
    profile = np.array([0.62, 0.92, 1.0, 0.98, 0.92, 0.82, 0.66, 0.46, 0.20])
    for side, brow in zip((LEFT, RIGHT), face.brows, strict=True):
        base = mix(hair, shade(identity.skin, skin.brightness(side * 0.5, -0.4)), 0.22)
        widths = 0.095 * identity.brow_weight * profile
        canvas.taper(brow, widths, base)
        core = shade(base, 0.8)
        canvas.taper(moved(brow[1:8], 0.0, 0.008), 0.5 * widths[1:8], core)


def _paint_nostrils(canvas: Canvas, face: Face, skin: LitSkin) -> None:
    dark = shade(mix(face.identity.skin, (60.0, 20.0, 16.0), 0.62), 0.75)
    light = skin.brightness(float(face.bridge[3, 0]), float(face.bridge[3, 1]))
    for side, index in ((LEFT, 1), (RIGHT, 3)):
        center = face.nostrils[index]
        line = center + np.array([[-side * 0.035, 0.012], [0.0, -0.008], [side * 0.045, 0.002]])
        canvas.taper(line, np.array([0.030, 0.052, 0.030]), shade(dark, 0.5 + 0.5 * light))
    # A highlight on the tip shows the direction of the nose.
    gloss = mix(shade(face.identity.skin, light), (255.0, 250.0, 245.0), 0.22)
    rows, columns = canvas.window(face.bridge[3:4], 0.09)
    if rows.start < rows.stop and columns.start < columns.stop:
        tip = canvas.part(rows, columns)
        tip.disc(moved(face.bridge[3], 0.0, -0.01), 0.045, gloss)
        faint = np.full(tip.pixels.shape[:2], 120, np.uint8)
        canvas.blend(tip.pixels, faint, rows, columns)


def _paint_mouth(canvas: Canvas, face: Face, skin: LitSkin) -> None:
    mouth, expression = face.mouth, face.expression
    light = skin.brightness(0.0, float(mouth.lower_edge[6, 1]))
    lips = shade(face.identity.lips, 0.45 + 0.55 * light)
    gap = float(mouth.lower_gap[6, 1] - mouth.upper_gap[6, 1])
    if gap > 0.03:
        _paint_open_mouth(canvas, face, gap, light)
    canvas.fill(np.concatenate((mouth.upper_edge, mouth.upper_gap[::-1])), shade(lips, 0.86))
    canvas.fill(np.concatenate((mouth.lower_gap, mouth.lower_edge[::-1])), lips)
    full = mouth.lower_edge[6, 1] - mouth.lower_gap[6, 1]
    gloss = 0.62 * mouth.lower_gap[4:9] + 0.38 * mouth.lower_edge[4:9]
    canvas.stroke(gloss, mix(lips, (255.0, 236.0, 230.0), 0.28), 0.30 * float(full))
    dark = shade(mix(lips, (70.0, 18.0, 20.0), 0.65), 0.85)
    if gap <= 0.03:
        canvas.stroke(mouth.upper_gap, dark, 0.028 + 0.012 * expression.lip_press)
    for corner in (mouth.upper_gap[0], mouth.upper_gap[12]):
        canvas.disc(corner, 0.012, dark)


def _paint_open_mouth(canvas: Canvas, face: Face, gap: float, light: float) -> None:
    mouth = face.mouth
    hole = np.concatenate((mouth.upper_gap, mouth.lower_gap[::-1]))
    rows, columns = canvas.window(hole, 0.02)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inside = canvas.part(rows, columns)
    inside.fill(hole, shade(_MOUTH_INSIDE, 0.6 + 0.4 * light))
    if gap > 0.22:
        tongue = moved(mouth.lower_gap[3:10], 0.0, -0.30 * gap)
        inside.fill(np.concatenate((tongue, mouth.lower_gap[9:2:-1])), shade(_TONGUE, light))
    teeth = max(0.0, min(1.0, face.expression.teeth))
    if teeth > 0.05:
        depth = min(teeth * gap, 0.17)
        edge = mouth.upper_gap + depth / gap * (mouth.lower_gap - mouth.upper_gap)
        white = shade(_TEETH, 0.45 + 0.55 * light)
        row = np.concatenate((mouth.upper_gap[1:12], edge[11:0:-1]))
        inside.fill(row, white)
        gaps = np.stack((mouth.upper_gap[3:10:2], edge[3:10:2]), axis=1)
        inside.strokes(gaps, shade(white, 0.84), 0.010)
    canvas.blend(inside.pixels, canvas.mask([hole], rows, columns), rows, columns)
