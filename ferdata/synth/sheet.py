"""A contact sheet: a column for each of the eight expressions, a row for each person.

All expressions are strong here; copies of datasets also contain weak ones.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ferdata.core.draws import generator
from ferdata.core.files import write_atomically
from ferdata.core.labels import CANONICAL
from ferdata.synth.drawing import draw_face
from ferdata.synth.expressions import draw_expression
from ferdata.synth.paint import Pixels

_GAP = 6
_CAPTION = 22


def contact_sheet(people: int = 5, size: int = 100, seed: int = 0) -> Pixels:
    """Draw every expression of several people.

    Args:
        people: Number of rows.
        size: Side of each face in pixels.
        seed: Seed of all draws; another seed draws other people.

    Returns:
        uint8 RGB, one column per canonical expression, its name above it.
    """
    step = size + _GAP
    height = _CAPTION + people * step + _GAP
    sheet = np.full((height, len(CANONICAL) * step + _GAP, 3), 255, np.uint8)
    for column, name in enumerate(CANONICAL):
        left = _GAP + column * step
        _write(sheet, name, left, size)
        for row in range(people):
            draws = generator(seed, f"{name}-{row}", purpose="sheet")
            expression = draw_expression(name, draws, intensity=(0.8, 1.0))
            top = _CAPTION + row * step
            sheet[top : top + size, left : left + size] = draw_face(expression, draws, size).pixels
    return sheet


def write_sheet(path: Path, *, people: int = 5, size: int = 100, seed: int = 0) -> None:
    """Write the contact sheet as PNG.

    Raises:
        BuildError: The file can't be written.
    """
    sheet = contact_sheet(people, size, seed)
    _, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    with write_atomically(path) as file:
        file.write(data.tobytes())


def _write(sheet: Pixels, name: str, left: int, size: int) -> None:
    """Write a column's name, centered."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.42
    (width, _), _ = cv2.getTextSize(name, font, scale, 1)
    place = (left + (size - width) // 2, _CAPTION - 7)
    cv2.putText(sheet, name, place, font, scale, (40, 40, 40), 1, cv2.LINE_AA)
