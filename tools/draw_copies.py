"""Draw the figures of docs/augmentation.md from synthetic faces.

    python tools/draw_copies.py docs

`copies.jpg`: one face and its 17 copies with the default operations, in the order of their
numbers, and 17 with `standard`. `operations.jpg`: each operation at the ends of its range.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.drawing import CYCLE, draw_apart
from ferdata.augmentation.operation_config import load_operations
from ferdata.augmentation.operations import KINDS
from ferdata.core.draws import generator
from ferdata.synth import draw_expression, draw_face

Image = npt.NDArray[np.uint8]

SIZE, GAP, CAPTION, COLUMNS = 112, 6, 20, 9

ENDS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("brightness -9, +9", {"levels": -9}, {"levels": 9}),
    ("brightness -48, +48", {"levels": -48}, {"levels": 48}),
    ("gaussian_blur 0.5, 1.2", {"sigma": 0.5}, {"sigma": 1.2}),
    (
        "gaussian_noise 8, 10",
        {"sigma": 8, "seed": 1, "color": False},
        {"sigma": 10, "seed": 1, "color": False},
    ),
    ("rotation -8, +8", {"degrees": -8}, {"degrees": 8}),
    ("scale 0.97, 1.10", {"factor": 0.97}, {"factor": 1.10}),
    ("translation 0.04", {"x": -0.04, "y": -0.04}, {"x": 0.04, "y": 0.04}),
)
"""Of each operation with a range: its caption, and the values at both ends."""


def face(name: str, number: int) -> Image:
    """Draw one face, uint8 RGB, shape (SIZE, SIZE, 3)."""
    draws = generator(number, name, purpose="figure")
    return draw_face(draw_expression(name, draws, intensity=(0.8, 1.0)), draws, SIZE).pixels


def grid(images: Sequence[tuple[str, Image]], columns: int) -> Image:
    """Put images with captions side by side."""
    width, height = SIZE + GAP, SIZE + GAP + CAPTION
    rows = -(-len(images) // columns)
    sheet = np.full((rows * height + GAP, columns * width + GAP, 3), 255, np.uint8)
    for place, (caption, image) in enumerate(images):
        top, left = place // columns * height + CAPTION, place % columns * width + GAP
        sheet[top : top + SIZE, left : left + SIZE] = image
        where = (left, top - 5)
        cv2.putText(
            sheet, caption, where, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (40, 40, 40), 1, cv2.LINE_AA
        )
    return sheet


def copies(name: str, parent: Image) -> Image:
    """Show a face and all its copies with a list of operations."""
    operations = load_operations(name)
    drawn = [draw_apart(operations, 0, "face", index) for index in range(1, CYCLE + 1)]
    images = [apply_operations(parent, text).pixels for text in drawn]
    captions = [f"{name} {index}" for index in range(1, CYCLE + 1)]
    return grid([("original", parent), *zip(captions, images, strict=True)], COLUMNS)


def ends(parent: Image) -> Image:
    """Show each operation at both ends of its range."""
    images = []
    for caption, low, high in ENDS:
        kind = KINDS.get(caption.split()[0])
        images += [(caption, kind.render(parent, low)), ("", kind.render(parent, high))]
    return grid(images, 8)


def main(folder: Path) -> None:
    """Write both figures."""
    parent = face("fear", 3)
    both = np.concatenate([copies("default", parent), copies("standard", parent)])
    for name, sheet in {"copies": both, "operations": ends(parent)}.items():
        path = folder / f"{name}.jpg"
        cv2.imwrite(
            str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88]
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
