"""Hair on the head, the moustache of a beard, and glasses."""

from __future__ import annotations

import numpy as np

from ferdata.synth.face import LEFT, RIGHT, Face, Points, moved
from ferdata.synth.paint import Canvas, mix, shade
from ferdata.synth.skin import LitSkin

_STEPS = 24


def paint_back_hair(canvas: Canvas, face: Face) -> None:
    """Paint the hair behind head and neck, before the skin is painted."""
    identity = face.identity
    dark = shade(identity.hair, 0.62)
    wide = identity.face_width + 0.16 + identity.hair_volume
    if "long" in identity.hair_style:
        top = _outer(face)
        fall = np.array([[-wide, 0.6], [-wide - 0.08, 1.6], [-wide + 0.05, 2.6],
                         [wide - 0.05, 2.6], [wide + 0.08, 1.6], [wide, 0.6]])  # fmt: skip
        canvas.fill(np.concatenate((top, fall)), dark)
    elif identity.hair_style == "bun":
        canvas.disc(np.array([0.0, -identity.skull - 0.28]), 0.42, dark)


def paint_hair(canvas: Canvas, face: Face, skin: LitSkin, generator: np.random.Generator) -> None:
    """Paint the hair over the forehead and beside the face."""
    style = face.identity.hair_style
    if style == "bald":
        return
    inner, outer = _hairline(face, generator), _outer(face)[::-1]
    hair = shade(face.identity.hair, 0.55 + 0.45 * skin.brightness(0.0, -1.0))
    if style == "curly":
        _paint_curls(canvas, outer, inner, hair, generator)
        return
    canvas.fill(np.concatenate((outer, inner[::-1])), hair)
    _paint_strands(canvas, inner, outer, hair, generator)
    if "long" in style:
        for side in (LEFT, RIGHT):
            _paint_lock(canvas, face, side, hair)


def paint_moustache(canvas: Canvas, face: Face) -> None:
    """Paint the moustache of a beard: as wide as the mouth, running down past its corners."""
    if face.identity.beard != "beard":
        return
    lip = face.mouth.upper_edge
    away = np.abs(np.linspace(-1.0, 1.0, len(lip)))
    space = max(float(lip[6, 1] - face.nostrils[2, 1]), 0.08)
    line = np.column_stack((lip[:, 0] * 1.12, lip[:, 1] - space * (0.42 - 0.55 * away**3)))
    widths = space * (0.62 - 0.34 * away**2)
    canvas.taper(line, widths, shade(mix(face.identity.hair, (30.0, 22.0, 20.0), 0.2), 0.9))


def paint_glasses(canvas: Canvas, face: Face, generator: np.random.Generator) -> None:
    """Paint glasses if the person wears some."""
    kind = face.identity.glasses
    if not kind:
        return
    frame = ((28.0, 26.0, 28.0), (84.0, 52.0, 34.0), (120.0, 122.0, 128.0))[
        int(generator.integers(3))
    ]
    angle = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    power = 1.0 if kind == "round" else 0.55
    ring = np.column_stack(
        (np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power * 0.37,
         np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power * (0.33 if power == 1.0 else 0.26))
    )  # fmt: skip
    centers = [moved(eye.upper[[0, 12]].mean(axis=0), 0.0, 0.05) for eye in face.eyes]
    for side, center in zip((LEFT, RIGHT), centers, strict=True):
        canvas.stroke(center + ring, frame, 0.032, closed=True)
        hinge = moved(center, side * 0.37, -0.05)
        temple = moved(face.jaw[0 if side == LEFT else 16], 0.0, 0.02)
        canvas.stroke(np.stack((hinge, temple)), frame, 0.03)
    left, right = moved(centers[0], 0.37, -0.03), moved(centers[1], -0.37, -0.03)
    middle = moved(0.5 * (left + right), 0.0, -0.03)
    canvas.stroke(np.stack((left, middle, right)), frame, 0.03)


def _outer(face: Face) -> Points:
    """The hair's outer contour over the skull, from the image's left temple to its right."""
    volume = 0.4 * face.identity.hair_volume if face.identity.hair_style == "bun" else (
        face.identity.hair_volume)  # fmt: skip
    skull = np.concatenate((face.outline[16:], face.outline[:1]))[::-1]
    center = np.array([0.0, 0.1])
    grown = center + (skull - center) * (1.0 + 0.75 * volume)
    grown[[0, -1]] = skull[[0, -1]] * (1.02, 1.0)
    return _resample(grown)


def _hairline(face: Face, generator: np.random.Generator) -> Points:
    """The hair's lower edge over the forehead, from right to left as `_outer` reversed."""
    identity = face.identity
    x = np.linspace(1.0, -1.0, 15)
    height = -0.04 - 0.98 * (1.0 - np.abs(x) ** 3.2) * (0.95 + 0.05 * np.cos(2 * x))
    if "fringe" in identity.hair_style:
        ragged = generator.uniform(-0.04, 0.05, 15)
        height = np.maximum(height, -0.74 + ragged + 0.03 * np.abs(x))
        height[[0, -1]] = -0.04
    elif "side" in identity.hair_style:
        part = 0.35 if generator.random() < 0.5 else -0.35
        sweep = np.abs(x - part) / (1.0 + abs(part))
        height = np.maximum(height, -1.10 + 0.50 * sweep**0.8)
        height[[0, -1]] = -0.04
    line = np.column_stack((x * 0.985 * identity.face_width, height))
    line[:, 0] += 0.11 * face.turn * (1.0 - x**2)
    return _resample(line)


def _resample(line: Points) -> Points:
    """Return a line with `_STEPS` points at even distances."""
    along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))))
    steps = np.linspace(0.0, along[-1], _STEPS)
    return np.column_stack([np.interp(steps, along, line[:, axis]) for axis in (0, 1)])


def _paint_strands(
    canvas: Canvas,
    inner: Points,
    outer: Points,
    hair: tuple[float, float, float],
    generator: np.random.Generator,
) -> None:
    """Comb lighter and darker strands from the hairline back over the head."""
    reach = np.linspace(0.02, 0.94, 5)[:, None]
    starts = generator.uniform(0, _STEPS - 1.001, 44)
    low = starts.astype(int)
    weight = (starts - low)[:, None]
    roots = (inner[low] * (1 - weight) + inner[low + 1] * weight)[:, None]
    ends = (outer[low] * (1 - weight) + outer[low + 1] * weight)[:, None]
    lean = np.column_stack((0.10 * (starts / _STEPS - 0.5), np.full(44, -0.02)))[:, None]
    lines = roots + (ends - roots) * reach + np.sin(np.pi * reach) * lean
    for index, factor in enumerate((1.20, 0.78, 1.10, 0.88)):
        canvas.strokes(lines[index::4], shade(hair, factor), 0.022)


def _paint_curls(
    canvas: Canvas,
    outer: Points,
    inner: Points,
    hair: tuple[float, float, float],
    generator: np.random.Generator,
) -> None:
    """Paint the hair as many small tufts."""
    canvas.fill(np.concatenate((outer, inner[::-1])), shade(hair, 0.9))
    count = 44
    where = generator.integers(0, _STEPS, count)
    reach = generator.random(count)[:, None]
    centers = inner[where] * (1 - reach) + outer[where] * reach - (0.0, 0.05)
    radii = generator.uniform(0.09, 0.15, count)
    tones = generator.uniform(0.78, 1.2, count)
    for center, radius, tone in zip(centers, radii.tolist(), tones.tolist(), strict=True):
        canvas.disc(center, radius, shade(hair, tone))


def _paint_lock(canvas: Canvas, face: Face, side: int, hair: tuple[float, float, float]) -> None:
    """Paint the hair that falls beside the face, over the ear."""
    edge = face.identity.face_width
    width = 0.16 + face.identity.hair_volume
    line = np.array([[side * (edge - 0.10), -0.75], [side * (edge + 0.03), -0.35],
                     [side * (edge + 0.07), 0.10], [side * (edge + 0.08), 0.80],
                     [side * (edge + 0.04), 1.50], [side * (edge - 0.02), 2.20],
                     [side * (edge - 0.06), 2.60]])  # fmt: skip
    widths = width * np.array([0.15, 0.65, 1.0, 1.1, 1.15, 0.9, 0.3])
    canvas.taper(line, widths, hair)
    for offset, factor in ((-0.35, 0.78), (0.0, 1.15), (0.3, 0.9)):
        strand = line + np.outer(widths, (offset, 0.0))
        canvas.stroke(strand, shade(hair, factor), 0.024)
