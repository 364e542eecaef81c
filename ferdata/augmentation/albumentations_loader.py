"""albumentations, loaded when the first pixel is augmented and without what it brings along."""

from __future__ import annotations

import os
import sys
from functools import cache
from types import ModuleType
from typing import Any


@cache
def albumentations_transforms() -> dict[str, Any]:
    """Return the albumentations transforms; one each, for making one costs a millisecond."""
    library = albumentations_package()
    return {
        "flip": library.HorizontalFlip(p=1.0),
        "brightness": library.RandomBrightnessContrast(p=1.0),
        "blur": library.GaussianBlur(p=1.0),
        "noise": library.GaussNoise(p=1.0),
    }


def albumentations_package() -> ModuleType:
    """Import albumentations without its look at PyPI and without torch.

    Its `__init__` asks PyPI for a newer version, and imports torch where that is installed, for a
    transform that is of no use here: seconds and hundreds of megabytes in each worker. It goes on
    without when that import fails, which is what a None in `sys.modules` makes it do.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    torch_part = "albumentations.pytorch"
    block = torch_part not in sys.modules
    if block:
        sys.modules[torch_part] = None  # type: ignore[assignment]  # forbids the import
    try:
        import albumentations  # noqa: PLC0415 - takes 0.6 s; only rendering needs it
    finally:
        if block:
            del sys.modules[torch_part]
    module: ModuleType = albumentations
    return module
