"""An operation, for stored copies and on the device: gamma correction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ferdata.augmentation.operations import Photometric, Pixels
from ferdata.augmentation.operations.base import DrawBatch, Range, Values, sign, uniform

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Gamma(Photometric):
    """Raise values of 0–1 to the power `gamma` = e^±change: black and white stay as they are."""

    change: Range = (0.1, 0.4)

    name: ClassVar[str] = "gamma"
    limits: ClassVar[dict[str, Range]] = {"change": (0.01, 2.0)}
    drawn: ClassVar[tuple[str, ...]] = ("gamma",)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `gamma` below or above 1, equally often."""
        return {"gamma": round(math.exp(sign(generator) * uniform(generator, self.change)), 4)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Look each value up in a table."""
        table = 255 * (np.arange(256) / 255) ** float(values["gamma"])
        return np.rint(table).astype(np.uint8)[pixels]

    def draw_batch(self, draw: DrawBatch) -> Tensor:
        """Draw the exponent of e for each image."""
        return draw(self.change, both_ways=True)

    def render_batch(self, images: Tensor, strength: Tensor) -> Tensor:
        """Raise to the power."""
        return 255 * (images.clamp(0, 255) / 255) ** strength.exp()
