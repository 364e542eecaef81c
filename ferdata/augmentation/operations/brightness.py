"""Brightness: another exposure of the same scene.

By default an image's mean is moved by a number of gray levels along a curve that keeps black black
and white white, so that no pixel becomes either. The curve, of an intensity I in 0–1 (the mean of
red, green and blue) and a gain g,

    I' = g I / (1 + (g − 1) I)

multiplies dark intensities by g and distances from white by 1 / g. It is the bias function of
Schlick ("Fast alternatives to Perlin's bias and gain functions", Graphics Gems IV, 1994). A pixel
gets darker by a factor, which keeps its hue and saturation, and brighter by mixing it with white,
so that no channel is clipped.

The gain is found from the image's own histogram, so that the same number of levels is the same
change of any image, dark or bright. Papers multiply instead (`change`), which clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from ferdata.augmentation.operations.albumentations_import import shared_transforms
from ferdata.augmentation.operations.base import (
    DECIMALS,
    DrawBatch,
    Pixels,
    Range,
    Values,
    is_number,
    require_range,
)
from ferdata.augmentation.operations.photometric import Photometric, draw_factor
from ferdata.core.errors import OptionError

if TYPE_CHECKING:  # training needs torch, stored copies don't
    from torch import Tensor

Array: TypeAlias = Any
"""Numbers for NumPy and torch alike; the formulas below use only what both have."""

_LEVELS: Range = (9.0, 48.0)
_MOST_LEVELS = 60.0
_MOST_CHANGE = 1.0  # of pixel values, for brightness that multiplies

_DARK, _BRIGHT = 80 / 255, 175 / 255
"""The means from which levels are counted in darker and in brighter images."""

_TARGETS = (4 / 255, 251 / 255)  # means that can be reached

_MOST_GAIN = 256.0  # moves an image of the gray level 1 to any mean that can be asked for
_STEPS = 16  # halvings of the logarithm of that range, to 0.005 levels
_TINY = 1e-6

_SAMPLES = 32
"""On the device, so many rows and columns or more, evenly spaced, stand for the image."""


@dataclass(frozen=True)
class Brightness(Photometric):
    """Make the whole image brighter or darker.

    Attributes:
        levels: Smallest and largest change of the mean, gray levels of 255, up or down equally
            often. From 9, 29 dB from the parent; to 48, where mid-gray (128) becomes 80 or 176.
        change: If given, multiply instead, by `factor` = 1 ± change, and clip to 0–255: smallest
            and largest change, as a fraction of the pixel value.

    Raises:
        OptionError: A range is out of its limits, or both are given.
    """

    probability: float = 0.8
    levels: Range = _LEVELS
    change: Range | None = None

    name: ClassVar[str] = "brightness"
    limits: ClassVar[dict[str, Range]] = {"levels": (0.0, _MOST_LEVELS)}
    drawn: ClassVar[tuple[str, ...]] = ("levels",)
    expects: ClassVar[str] = f"a number within ±{_MOST_LEVELS:g}; or factor: a positive number"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.change is None:
            return
        require_range(self.name, "change", self.change, (0.0, _MOST_CHANGE))
        if self.levels != _LEVELS:
            raise OptionError(f"{self.name}: give levels, or change to multiply instead; not both")

    def describe(self) -> dict[str, Any]:
        """Return the name and the options, of `levels` and `change` the one that counts."""
        unused = "change" if self.change is None else "levels"
        return {name: value for name, value in super().describe().items() if name != unused}

    @classmethod
    def takes(cls, values: Values) -> bool:
        """Return whether there is a number of levels, or a factor."""
        if set(values) == {"factor"}:
            return is_number(values["factor"]) and values["factor"] > 0
        return super().takes(values)

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Return whether the levels are within their limits."""
        return is_number(values["levels"]) and abs(values["levels"]) <= _MOST_LEVELS

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `levels`, positive to brighten; or `factor`."""
        if self.change is not None:
            return {"factor": draw_factor(generator, self.change)}
        # one draw decides way and size, so that evenly spaced draws give evenly spaced levels
        position = 2 * generator.random() - 1
        low, high = self.levels
        size = low + (high - low) * abs(position)
        return {"levels": round(size if position >= 0 else -size, DECIMALS)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Move the mean by `levels` and round; or multiply by `factor`, round and clip."""
        if "factor" in values:
            return _multiply(pixels, float(values["factor"]))
        return _expose(pixels, float(values["levels"]))

    def draw_batch(self, draw: DrawBatch) -> Tensor:
        """Draw the levels, or the change, of each image, of either sign."""
        return draw(self.levels if self.change is None else self.change, both_ways=True)

    def render_batch(self, images: Tensor, strength: Tensor) -> Tensor:
        """Move the mean of each image by its levels, or multiply."""
        if self.change is not None:
            return images * (1 + strength)
        values = images / 255
        intensities = values.mean(dim=1, keepdim=True)
        step = max(min(images.shape[-2:]) // _SAMPLES, 1)
        sample = intensities[..., ::step, ::step].flatten(1)
        change = strength.flatten(1) / 255
        gain = _gain(sample, 1 / sample.shape[1], change).where(change != 0, 1.0)
        exposed: Tensor = _exposed(values, intensities, gain[..., None, None]) * 255
        return exposed


def _multiply(pixels: Pixels, factor: float) -> Pixels:
    # albumentations truncates; adding a half turns that into rounding
    bright: Pixels = shared_transforms()["brightness"].apply(pixels, alpha=factor, beta=0.5)
    return bright


def _expose(pixels: Pixels, levels: float) -> Pixels:
    """Move an image's mean along the curve, round, and keep values from 1 to 254 within these."""
    channels = pixels.shape[2]
    sums = np.add.reduce([pixels[..., channel] for channel in range(channels)], dtype=np.int64)
    occurrence = np.bincount(sums.reshape(-1), minlength=255 * channels + 1) / sums.size
    steps = np.linspace(0, 1, len(occurrence))
    gain = np.float32(_gain(steps, occurrence, np.array([levels / 255])).item())
    intensities = steps.astype(np.float32)[sums][..., None]
    exposed = _exposed(pixels / np.float32(255), intensities, gain) * 255
    rounded: Pixels = np.rint(exposed).astype(np.uint8)
    return np.clip(rounded, np.minimum(pixels, 1), np.maximum(pixels, 254))


def _exposed(values: Array, intensities: Array, gain: Array) -> Array:
    """Move pixels of values in 0–1 by the factor of their intensity, or toward white."""
    # g x / d where g < 1 darkens, and (x + (g − 1) I) / d where it brightens; d = 1 + (g − 1) I
    white = (gain - 1).clip(0, None) * intensities
    return (gain.clip(None, 1) * values + white) / (1 + (gain - 1) * intensities)


def _gain(values: Array, occurrence: Array, change: Array) -> Array:
    """Find the gain that moves the mean of an image's intensities by a change.

    The mean is weighted by mobility u, how far the curve moves an intensity relative to mid-gray,
    so that a black or white background, which can't move, does not make the rest move twice as far.
    It is moved by Δ √E[u²] / E[u] where Δ is asked for. So two results that are Δ apart have a root
    mean square difference of at least Δ, by the inequality of Cauchy and Schwarz, whatever the
    image.

    Args:
        values: Intensities in 0–1, shape (…, N).
        occurrence: The fraction of the image that has each, shape (…, N) or a number.
        change: Change of the mean, shape (…, 1).

    Returns:
        Gains, shape (…, 1). Where all is black or white, any: the curve moves nothing.
    """
    mobility = 4 * values * (1 - values)
    weights = occurrence * mobility
    total = _sum(weights) + _TINY
    spread = _sum(weights * mobility) ** 0.5 / total
    weights = weights / total
    mean = _sum(weights * values)
    target = (mean.clip(_DARK, _BRIGHT) + change * spread).clip(*_TARGETS)
    # halved by what every processor rounds alike: +, ×, / and √
    low, high = 1 / _MOST_GAIN + 0 * mean, _MOST_GAIN + 0 * mean
    for _ in range(_STEPS):
        gain = (low * high) ** 0.5
        short = _sum(weights * gain * values / (1 + (gain - 1) * values)) < target
        low, high = low + (gain - low) * short, gain + (high - gain) * short
    return (low * high) ** 0.5


def _sum(values: Array) -> Array:
    """Sum over the last axis and keep it."""
    return values.sum(-1)[..., None]
