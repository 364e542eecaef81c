"""Mirroring: left and right, or top and bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ferdata.augmentation.albumentations_loader import albumentations_transforms
from ferdata.augmentation.operations.base import Operation, Pixels, Values
from ferdata.augmentation.operations.geometric import Affine
from ferdata.faces.align import Matrix


@dataclass(frozen=True)
class HorizontalFlip(Operation):
    """Mirror left and right. Expressions are (nearly) symmetric; letters and sides are not kept."""

    name: ClassVar[str] = "horizontal_flip"
    mirrors: ClassVar[bool] = True

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:  # noqa: ARG004 - draws none
        """Mirror the image: column x becomes column W − 1 − x."""
        flipped: Pixels = albumentations_transforms()["flip"].apply(pixels)
        return flipped


@dataclass(frozen=True)
class VerticalFlip(Affine):
    """Turn the image upside down by mirroring it: row y becomes row H − 1 − y.

    No landmarks change places: a scheme's left and right are those of the image, and what is on its
    left stays there. (The face is a mirrored one all the same: turned upright again by a rotation
    through 180°, its points would be those of a horizontal flip before left and right are
    exchanged.)
    """

    name: ClassVar[str] = "vertical_flip"

    @staticmethod
    def matrix(values: Values, width: int, height: int) -> Matrix:  # noqa: ARG004 - the same for all
        """Return the map (x, y) → (x, H − 1 − y)."""
        return np.array([[1.0, 0.0, 0.0], [0.0, -1.0, height - 1.0]])

    @classmethod
    def render(cls, pixels: Pixels, values: Values) -> Pixels:  # noqa: ARG003 - draws none
        """Mirror the image top to bottom; no pixel's value changes."""
        return np.ascontiguousarray(pixels[::-1])
