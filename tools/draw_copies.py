"""Draw docs/copies.jpg: a synthetic face and its 17 copies, for each shipped list of operations.

python tools/draw_copies.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.drawing import CYCLE, draw_apart
from ferdata.augmentation.operation_config import list_names, load_operations
from ferdata.core.draws import generator
from ferdata.synth import draw_expression, draw_face

Image = npt.NDArray[np.uint8]

PATH = Path(__file__).parents[1] / "docs" / "copies.jpg"
SIZE, GAP, CAPTION, COLUMNS = 112, 6, 20, 9


def copies(name: str, parent: Image) -> Image:
    """Return a face and its copies side by side, each with a caption, uint8 RGB."""
    operations = load_operations(name)
    drawn = [draw_apart(operations, 0, "face", index) for index in range(1, CYCLE + 1)]
    images = [parent, *(apply_operations(parent, text).pixels for text in drawn)]
    width, height = SIZE + GAP, SIZE + GAP + CAPTION
    rows = -(-len(images) // COLUMNS)
    sheet = np.full((rows * height + GAP, COLUMNS * width + GAP, 3), 255, np.uint8)
    for place, image in enumerate(images):
        top, left = place // COLUMNS * height + CAPTION, place % COLUMNS * width + GAP
        sheet[top : top + SIZE, left : left + SIZE] = image
        caption = f"{name} {place}" if place else "original"
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(sheet, caption, (left, top - 5), font, 0.36, (40, 40, 40), 1, cv2.LINE_AA)
    return sheet


def main() -> None:
    """Write the picture."""
    draws = generator(3, "fear", purpose="figure")
    parent = draw_face(draw_expression("fear", draws, intensity=(0.8, 1.0)), draws, SIZE).pixels
    sheet = np.concatenate([copies(name, parent) for name in list_names()])
    quality = [cv2.IMWRITE_JPEG_QUALITY, 80]
    cv2.imwrite(str(PATH), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), quality)


if __name__ == "__main__":
    main()
