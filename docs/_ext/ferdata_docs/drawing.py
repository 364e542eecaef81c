"""The faces of the gallery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.drawing import draw_apart
from ferdata.augmentation.operation_config import load_operations
from ferdata.core.draws import generator
from ferdata.synth import draw_expression, draw_face


def draw_copies(entry: Mapping[str, Any]) -> tuple[list[npt.NDArray[np.uint8]], list[str]]:
    """Draw a face and five copies of it with one operation, and say what was drawn for each."""
    draws = generator(3, "fear", purpose="figure")
    face = draw_face(draw_expression("fear", draws, intensity=(0.8, 1.0)), draws, 112).pixels
    operations = load_operations([entry])
    drawn = [draw_apart(operations, 0, "face", n) for n in range(1, 6)]
    return [face, *(apply_operations(face, each).pixels for each in drawn)], drawn
