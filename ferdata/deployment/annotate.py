"""An annotated image: the face marked, the probabilities as bars beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from ferdata.faces.detection import Box

Pixels = npt.NDArray[np.uint8]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

LARGEST_VIEW = 1024
"""Largest longest side of an annotated image, pixels; larger ones are averaged down."""

SMALLEST_VIEW = 320
"""Smallest longest side of an annotated image, pixels, so that small crops are visible."""

_PANEL = 300  # pixels
_EDGE = 16
_ROW = 44
_INPUT = 128  # side of the model's input as drawn
_PAPER, _INK, _FAINT = (250, 250, 248), (32, 34, 38), (110, 114, 120)
_BAR, _TRACK = (30, 100, 170), (224, 227, 231)
_MARK = (255, 200, 0)
_OPACITY = 0.75  # of landmarks


@dataclass(frozen=True)
class View:
    """An image at the size at which it is annotated.

    Attributes:
        pixels: uint8 RGB, shape (H, W, 3).
        scale: Its size relative to the original image.
    """

    pixels: Pixels
    scale: float

    def place(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Map points, shape (..., 2), from the original image; integers are pixel centers."""
        return (np.asarray(points, np.float64) + 0.5) * self.scale - 0.5


def make_view(pixels: Pixels) -> View:
    """Resize an image to a size between `SMALLEST_VIEW` and `LARGEST_VIEW`.

    Args:
        pixels: uint8 RGB, shape (H, W, 3).
    """
    height, width = pixels.shape[:2]
    longest = max(height, width)
    scale = min(max(longest, SMALLEST_VIEW), LARGEST_VIEW) / longest
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return View(np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8), scale)


def annotate(
    view: View,
    model_input: Pixels,
    ranked: Sequence[tuple[str, float]],
    *,
    box: Box | None = None,
    landmarks: npt.NDArray[np.float32] | None = None,
    note: str = "",
) -> Pixels:
    """Draw an annotated image.

    Args:
        view: The image.
        model_input: The image as the model saw it, uint8 (S, S, C).
        ranked: Class names and probabilities, the most probable first.
        box: The face, pixels of the original image.
        landmarks: Its landmarks, shape (P, 2), pixels of the original image.
        note: A line below the bars.

    Returns:
        uint8 RGB: the image, and a panel to its right.
    """
    marked = _mark(view, box, landmarks)
    lines = textwrap.wrap(note, 38)
    needed = 3 * _EDGE + _INPUT + _ROW * len(ranked) + 20 * len(lines) + _EDGE
    height = max(marked.height, needed)
    sheet = Image.new("RGB", (marked.width + _PANEL, height), _PAPER)
    sheet.paste(marked, (0, (height - marked.height) // 2))
    left = marked.width + _EDGE
    color = np.repeat(model_input, 3, axis=2) if model_input.shape[2] == 1 else model_input
    face = Image.fromarray(color).resize((_INPUT, _INPUT), Image.Resampling.LANCZOS)
    sheet.paste(face, (left, _EDGE))
    draw = ImageDraw.Draw(sheet)
    draw.text((left + _INPUT + 10, _EDGE), "as the\nmodel saw it", _FAINT, font=_font(14))
    top = 2 * _EDGE + _INPUT
    for rank, (name, probability) in enumerate(ranked):
        _draw_bar(draw, left, top, name, probability, first=rank == 0)
        top += _ROW
    for line in lines:
        draw.text((left, top + 4), line, _FAINT, font=_font(14))
        top += 20
    return np.asarray(sheet, np.uint8)


def _mark(view: View, box: Box | None, landmarks: npt.NDArray[np.float32] | None) -> Image.Image:
    """Draw the face's box and, translucent, its landmarks."""
    image = Image.fromarray(view.pixels)
    if landmarks is not None:
        points = view.place(landmarks).round().astype(int)
        points = points[((points >= 0) & (points < view.pixels.shape[1::-1])).all(axis=1)]
        pixels = view.pixels.copy()
        rows, columns = points[:, 1], points[:, 0]
        mixed = _OPACITY * np.array(_MARK) + (1 - _OPACITY) * pixels[rows, columns]
        pixels[rows, columns] = mixed.astype(np.uint8)
        image = Image.fromarray(pixels)
    if box is not None:
        corners = view.place([box[:2], box[2:]])
        draw = ImageDraw.Draw(image)
        frame = [(float(x), float(y)) for x, y in corners]
        draw.rectangle(frame, outline=_INK, width=4)
        draw.rectangle([(x + d, y + d) for (x, y), d in zip(frame, (1, -1), strict=True)],
                       outline=_MARK, width=2)  # fmt: skip
    return image


def _draw_bar(
    draw: ImageDraw.ImageDraw, left: int, top: int, name: str, probability: float, *, first: bool
) -> None:
    """Draw one class: its name and probability as text, and a bar."""
    ink = _INK if first else _FAINT
    right = left + _PANEL - 2 * _EDGE
    draw.text((left, top), name, ink, font=_font(17))
    draw.text((right, top), f"{probability:.1%}", ink, font=_font(17), anchor="ra")
    draw.rectangle((left, top + 24, right, top + 34), _TRACK)
    if probability > 0:
        draw.rectangle((left, top + 24, left + probability * (right - left), top + 34), _BAR)


@lru_cache(maxsize=4)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)
