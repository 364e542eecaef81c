"""Rendering an image: background, the painted person, and the effects of a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ferdata.synth.face import Face
from ferdata.synth.features import paint_features
from ferdata.synth.hair import paint_back_hair, paint_glasses, paint_hair, paint_moustache
from ferdata.synth.paint import Canvas, Matrix, Pixels
from ferdata.synth.skin import LitSkin, paint_skin

SUPERSAMPLE_BELOW = 200
"""Images with a shorter side than this are painted at twice their size and averaged down."""


@dataclass(frozen=True)
class Camera:
    """Effects of the camera on a scene.

    Attributes:
        blur: Standard deviation of the lens blur, in pixels.
        noise: Standard deviation of the sensor noise, in gray levels.
        gain: Factor of each channel: exposure and white balance.
        gamma: Exponent of the tone curve.
    """

    blur: float
    noise: float
    gain: tuple[float, float, float]
    gamma: float


def render(
    face: Face, matrix: Matrix, width: int, height: int, generator: np.random.Generator
) -> Pixels:
    """Paint a face into a random scene.

    Args:
        face: The shapes and the person.
        matrix: From face units to pixels, (2, 3); whole numbers are pixel centers.
        width: Width of the image in pixels.
        height: Height of the image in pixels.
        generator: Source of all random numbers.

    Returns:
        uint8 RGB, shape (height, width, 3).
    """
    factor = 2 if min(width, height) < SUPERSAMPLE_BELOW else 1
    scene = _background(width * factor, height * factor, generator)
    canvas = Canvas(scene, _scaled(matrix, factor))
    skin = LitSkin(face, *_draw_lighting(generator))
    gaze = generator.normal(0.0, 0.012, 2).clip(-0.03, 0.03).tolist()
    paint_back_hair(canvas, face)
    _paint_clothes(canvas, generator)
    paint_skin(canvas, face, skin)
    paint_features(canvas, face, skin, (gaze[0], gaze[1]))
    paint_moustache(canvas, face)
    paint_hair(canvas, face, skin, generator)
    paint_glasses(canvas, face, generator)
    if factor > 1:
        scene = np.asarray(cv2.resize(scene, (width, height), interpolation=cv2.INTER_AREA))
    return _photograph(scene, _draw_camera(generator), generator)


def _scaled(matrix: Matrix, factor: int) -> Matrix:
    """Adapt a matrix to a canvas with `factor` pixels for one, keeping pixel centers."""
    scaled = matrix * factor
    scaled[:, 2] += 0.5 * (factor - 1)
    return scaled


def _background(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Draw an out-of-focus background: a gradient of two colors, and blobs."""
    ends = generator.uniform(40, 215, (2, 1)) + generator.normal(0.0, 22.0, (2, 3))
    slope = np.linspace(0.0, 1.0, 5)
    across, down = generator.uniform(-1.0, 1.0, 2)
    weight = np.clip(
        0.5 + 0.5 * (across * (slope[None] - 0.5) + down * (slope[:, None] - 0.5)), 0, 1
    )
    coarse = ends[0] + (ends[1] - ends[0]) * weight[:, :, None]
    coarse += generator.normal(0.0, 14.0, (5, 5, 1)) + generator.normal(0.0, 7.0, (5, 5, 3))
    coarse = coarse.clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _paint_clothes(canvas: Canvas, generator: np.random.Generator) -> None:
    red, green, blue = generator.uniform(25, 215, 3).tolist()
    shoulders = np.array([[-0.72, 2.02], [0.72, 2.02], [1.25, 2.22], [1.95, 2.45], [2.25, 2.85],
                          [2.5, 5.5], [-2.5, 5.5], [-2.25, 2.85], [-1.95, 2.45],
                          [-1.25, 2.22]])  # fmt: skip
    canvas.fill(shoulders, (red, green, blue))


def _draw_lighting(generator: np.random.Generator) -> tuple[tuple[float, float, float], float]:
    """Draw the direction of the light and the ambient fraction, see `LitSkin`."""
    across = float(generator.uniform(-0.65, 0.65))
    above = float(generator.uniform(-0.75, -0.15))
    return (across, above, 1.0), float(generator.uniform(0.30, 0.58))


def _draw_camera(generator: np.random.Generator) -> Camera:
    exposure = float(generator.uniform(0.86, 1.12))
    warmth = float(generator.normal(0.0, 0.03))
    return Camera(
        blur=float(max(0.0, generator.normal(0.25, 0.35))),
        noise=float(generator.uniform(1.0, 5.0)),
        gain=(exposure * (1 + warmth), exposure, exposure * (1 - warmth)),
        gamma=float(generator.uniform(0.88, 1.15)),
    )


def _photograph(scene: Pixels, camera: Camera, generator: np.random.Generator) -> Pixels:
    """Apply lens, tone curve and sensor noise."""
    levels = np.linspace(0.0, 1.0, 256)[:, None] ** camera.gamma * 255.0
    curve = (levels * np.asarray(camera.gain)).clip(0, 255).astype(np.uint8)
    exposed = cv2.LUT(scene, curve.reshape(1, 256, 3))
    if camera.blur > 0.2:
        exposed = cv2.GaussianBlur(exposed, (0, 0), camera.blur)
    # Uniform bytes are drawn ten times faster than normal numbers; their deviation is 73.9.
    grain = np.frombuffer(generator.bytes(exposed.size), np.uint8).reshape(exposed.shape)
    weight = camera.noise / 73.9
    return np.asarray(cv2.addWeighted(exposed, 1.0, grain, weight, -127.5 * weight), np.uint8)
