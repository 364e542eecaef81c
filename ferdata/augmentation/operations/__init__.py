"""The kinds of augmentation: what each draws, from which range, and what it does to pixels.

An operation draws plain JSON values; a copy's row keeps them, and `render` makes the same pixels
from them again. Ranges play a part in drawing only, so changing one never changes a stored copy.

Flips, brightness, blur and noise are made by albumentations 2.0.8, called one transform at a time
with our values instead of its own random ones; the rest by OpenCV.
"""

from __future__ import annotations

from ferdata.augmentation.operations.any_transform import Albumentations
from ferdata.augmentation.operations.base import Operation, Pixels, Points
from ferdata.augmentation.operations.flips import HorizontalFlip, VerticalFlip
from ferdata.augmentation.operations.geometric import Crop, Rotation, Scale, Translation
from ferdata.augmentation.operations.photometric import (
    Brightness,
    Contrast,
    GaussianBlur,
    GaussianNoise,
    HistogramEqualization,
)

__all__ = [
    "KINDS",
    "OPERATIONS",
    "Albumentations",
    "Brightness",
    "Contrast",
    "Crop",
    "GaussianBlur",
    "GaussianNoise",
    "HistogramEqualization",
    "HorizontalFlip",
    "Operation",
    "Pixels",
    "Points",
    "Rotation",
    "Scale",
    "Translation",
    "VerticalFlip",
]

OPERATIONS: tuple[Operation, ...] = (
    HorizontalFlip(),
    Brightness(),
    GaussianBlur(),
    GaussianNoise(),
)
"""The default operations in the order of a camera: scene, light, lens, sensor."""

KINDS: dict[str, type[Operation]] = {
    kind.name: kind
    for kind in (
        HorizontalFlip,
        VerticalFlip,
        Rotation,
        Crop,
        Scale,
        Translation,
        Brightness,
        Contrast,
        HistogramEqualization,
        GaussianBlur,
        GaussianNoise,
        Albumentations,
    )
}
"""Every kind of operation by its name in `operations`."""
