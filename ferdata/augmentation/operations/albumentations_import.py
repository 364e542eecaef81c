"""Importing albumentations: when the first pixel is augmented, and without what it brings along."""

from __future__ import annotations

import importlib
import os
import sys
from functools import cache
from types import ModuleType
from typing import Any

from ferdata.core.extras import require_module


@cache
def shared_transforms() -> dict[str, Any]:
    """Return the albumentations transforms of our operations; making one takes a millisecond."""
    library = import_albumentations()
    return {
        "flip": library.HorizontalFlip(p=1.0),
        "brightness": library.RandomBrightnessContrast(p=1.0),
        "blur": library.GaussianBlur(p=1.0),
        "noise": library.GaussNoise(p=1.0),
    }


def import_albumentations() -> ModuleType:
    """Import albumentations without its request to PyPI and without torch.

    Its `__init__` asks PyPI for a newer version and, where torch is installed, imports it for a
    transform that is not needed here: seconds and hundreds of megabytes in each worker. If that
    import fails it continues without torch; a None in `sys.modules` makes it fail.

    Raises:
        MissingExtraError: It is not installed.
    """
    require_module("albumentations", "this augmentation")
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
    if block and "ToTensorV2" not in vars(module):
        module.__getattr__ = _torch_name  # type: ignore[method-assign]  # of the module, PEP 562
    return module


def _torch_name(name: str) -> Any:
    """Import what the import above left out when a user's own code asks for it."""
    if name in ("ToTensorV2", "ToTensor3D", "pytorch"):
        part = importlib.import_module("albumentations.pytorch")
        return part if name == "pytorch" else getattr(part, name)
    raise AttributeError(f"module 'albumentations' has no attribute {name!r}")
