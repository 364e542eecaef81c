"""The data files that ship with ferdata: `manifests/` in the wheel or the checkout."""

from __future__ import annotations

from pathlib import Path


def manifests_folder() -> Path:
    """Return the folder of datasets, mixes and recipes.

    It is inside the package in a wheel, and beside the package in a checkout.
    """
    package = Path(__file__).parents[1]
    inside = package / "manifests"
    return inside if inside.is_dir() else package.parent / "manifests"
