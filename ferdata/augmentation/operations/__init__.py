"""The operations of augmentation: what each draws, from which range, and what it does to pixels.

An operation draws plain JSON values; a copy's row keeps them, and `render` makes the same pixels
from them again. Ranges matter for drawing only, so changing one never changes a stored copy.

Flips, blur, noise, and brightness that multiplies are rendered by albumentations 2.0.8, one
transform at a time with our values instead of its own random ones; the others by OpenCV or NumPy.

To add an operation, write its class (a subclass of `Affine` or `Photometric` for one that can also
run on the device during training) and list it here, or register it as `operation.NAME` from a
package of your own, see `ferdata.core.registry`.
"""

from __future__ import annotations

from ferdata.augmentation.operations.any_albumentations import Albumentations
from ferdata.augmentation.operations.base import Operation, Pixels, Points
from ferdata.augmentation.operations.brightness import Brightness
from ferdata.augmentation.operations.geometric import (
    Affine,
    Crop,
    HorizontalFlip,
    Rotation,
    Scale,
    Translation,
    VerticalFlip,
)
from ferdata.augmentation.operations.photometric import (
    Contrast,
    GaussianBlur,
    GaussianNoise,
    HistogramEqualization,
    Photometric,
)
from ferdata.core.registry import Registry

__all__ = [
    "KINDS",
    "Affine",
    "Albumentations",
    "Brightness",
    "Contrast",
    "Crop",
    "GaussianBlur",
    "GaussianNoise",
    "HistogramEqualization",
    "HorizontalFlip",
    "Operation",
    "Photometric",
    "Pixels",
    "Points",
    "Rotation",
    "Scale",
    "Translation",
    "VerticalFlip",
]

_BUILT_IN: tuple[type[Operation], ...] = (
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

KINDS: Registry[type[Operation]] = Registry(
    "operation", {kind.name: f"{kind.__module__}:{kind.__name__}" for kind in _BUILT_IN}
)
"""Every kind of operation by its name in `operations`."""
