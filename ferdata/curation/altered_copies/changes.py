"""A guess at what was done to a copy, for a person to read."""

from __future__ import annotations

import math

import numpy as np

from ferdata.curation.altered_copies.comparison import Comparison

CHANGES = (
    "flipped", "rotated", "cropped", "shifted", "resized", "gray", "contrast", "brightness",
    "blurred", "reencoded or noisy",
)  # fmt: skip
"""What `AlteredPair.changes` may name. None says which of the two images is the original."""

_LEAST_DEGREES = 1.0
_LEAST_SCALE, _LEAST_SHIFT = 1.015, 0.015
_LEAST_GAIN, _LEAST_OFFSET = 1.08, 6.0


def rotation(comparison: Comparison) -> float:
    """Return the rotation of the second image against the first, degrees counterclockwise."""
    (a, b, _), (c, d, _) = comparison.matrix.tolist()
    return -math.degrees(math.atan2(c - b, a + d))


def describe_changes(
    comparison: Comparison,
    *,
    mirrored: bool,
    sizes: tuple[tuple[int, ...], tuple[int, ...]],
    is_gray: tuple[bool, bool],
) -> tuple[str, ...]:
    """Return the names of the changes, in the order of `CHANGES`.

    Args:
        comparison: How the images agree.
        mirrored: Whether the mirror image of the second was compared.
        sizes: Width and height of both images.
        is_gray: Whether each is gray.
    """
    matrix = comparison.matrix
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    turned = abs(rotation(comparison)) >= _LEAST_DEGREES
    scaled = max(scale, 1 / scale) >= _LEAST_SCALE
    gain = max(comparison.gain, 1 / max(comparison.gain, 1e-6))
    seen = {
        "flipped": mirrored,
        "rotated": turned,
        "cropped": scaled,
        "shifted": not (turned or scaled) and comparison.moved >= _LEAST_SHIFT,
        "resized": sizes[0] != sizes[1],
        "gray": is_gray[0] != is_gray[1],
        "contrast": gain >= _LEAST_GAIN,
        "brightness": abs(comparison.offset) >= _LEAST_OFFSET,
        "blurred": comparison.blurs != (0.0, 0.0),
    }
    names = tuple(name for name, present in seen.items() if present)
    return names or ("reencoded or noisy",)
