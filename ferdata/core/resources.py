"""Where the data files that ship with ferdata are: `manifests/` in the wheel or the checkout."""

from __future__ import annotations

from pathlib import Path


def manifests_folder() -> Path:
    """Return the folder of facts, mixes and recipes.

    It lies inside the package in a wheel, and beside the package in a checkout.
    """
    package = Path(__file__).parents[1]
    inside = package / "manifests"
    return inside if inside.is_dir() else package.parent / "manifests"
