"""Kinds that change the light of an image and leave everything in its place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any, ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.augmentation.albumentations_loader import albumentations_transforms
from ferdata.augmentation.histogram import equalize_histogram
from ferdata.augmentation.operations.base import (
    DECIMALS,
    Operation,
    Pixels,
    Range,
    Values,
    require_range,
    uniform,
)


@dataclass(frozen=True)
class Brightness(Operation):
    """Multiply all pixels by `factor` = 1 ± change, as another exposure would.

    Attributes:
        change: Smallest and largest change, a share of the pixel value. From 0.05, a few gray
            levels, so that a copy is never its parent again; to 0.30, where the bright skin of a
            well exposed face (about 200 of 255) begins to clip.
    """

    probability: float = 0.8
    change: Range = (0.05, 0.30)

    name: ClassVar[str] = "brightness"
    drawn: ClassVar[tuple[str, ...]] = ("factor",)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "change", self.change, 0.0, 1.0)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `factor` in 1 − high … 1 − low or 1 + low … 1 + high, both halves equally often."""
        return {"factor": _factor(generator, self.change)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Multiply, round and clip to 0–255."""
        # albumentations cuts decimals off; adding a half makes that a rounding.
        bright: Pixels = albumentations_transforms()["brightness"].apply(
            pixels, alpha=float(values["factor"]), beta=0.5
        )
        return bright


@dataclass(frozen=True)
class Contrast(Operation):
    """Move all pixels away from the mean luminance, or toward it, by `factor` = 1 ± change.

    About the mean of this image, not about mid-gray, so that the image as a whole gets neither
    brighter nor darker: that is what `brightness` does.

    Attributes:
        change: Smallest and largest change, a share of the distance from the mean. From 0.05, so
            that a copy is never its parent again; to 0.30, as for brightness.
    """

    probability: float = 0.5
    change: Range = (0.05, 0.30)

    name: ClassVar[str] = "contrast"
    drawn: ClassVar[tuple[str, ...]] = ("factor",)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "change", self.change, 0.01, 0.9)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `factor` in 1 − high … 1 − low or 1 + low … 1 + high, both halves equally often."""
        return {"factor": _factor(generator, self.change)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Stretch about the mean luminance (ITU-R BT.601), round, and clip to 0–255."""
        factor = float(values["factor"])
        mean = float(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).mean(dtype=np.float64))
        levels = np.rint(np.arange(256) * factor + (1.0 - factor) * mean)
        table = np.clip(levels, 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(pixels, table), np.uint8)


@dataclass(frozen=True)
class HistogramEqualization(Operation):
    """Use all levels of luminance equally often: `ferdata.augmentation.histogram`."""

    name: ClassVar[str] = "histogram_equalization"

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:  # noqa: ARG004 - draws none
        """Equalize the luminance; hue stays as it is."""
        return equalize_histogram(pixels)


@dataclass(frozen=True)
class GaussianBlur(Operation):
    """Blur, as a lens out of focus or a moving head would.

    Attributes:
        sigma: Smallest and largest standard deviation, pixels of the rendered image. Below 0.5
            the kernel is hardly more than its center; above 1.2 it begins to wash out wrinkles
            and lip lines, two or three pixels wide at 112, and the expression with them.
    """

    probability: float = 0.3
    sigma: Range = (0.5, 1.2)

    name: ClassVar[str] = "gaussian_blur"
    drawn: ClassVar[tuple[str, ...]] = ("sigma",)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "sigma", self.sigma, 0.3, 10.0)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `sigma` uniformly."""
        return {"sigma": round(uniform(generator, self.sigma), DECIMALS)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Convolve with a Gaussian of 2·⌊3.5 σ⌋ + 1 taps, the image mirrored at its border."""
        blurred: Pixels = albumentations_transforms()["blur"].apply(
            pixels, kernel=_kernel(values["sigma"])
        )
        return blurred


@dataclass(frozen=True)
class GaussianNoise(Operation):
    """Add independent normal noise to each pixel and channel, as a sensor in poor light does.

    Attributes:
        sigma: Smallest and largest standard deviation, gray levels of 255. From 2, hardly
            visible; to 10, a signal-to-noise ratio of 22 dB on mid-gray, plainly grainy, with
            brows and lips still clear.
    """

    probability: float = 0.5
    sigma: Range = (2.0, 10.0)

    name: ClassVar[str] = "gaussian_noise"
    drawn: ClassVar[tuple[str, ...]] = ("sigma", "seed")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "sigma", self.sigma, 0.5, 127.0)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `sigma` uniformly, and the 32-bit `seed` that the noise field is made from."""
        sigma = round(uniform(generator, self.sigma), DECIMALS)
        return {"sigma": sigma, "seed": int(generator.random() * 2**32)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Add the noise field of `seed`, rounded to whole gray levels, and clip to 0–255."""
        field = _normal_field(int(values["seed"]), pixels.shape)
        field *= np.float32(values["sigma"])
        # Rounded, since the sum's decimals are cut off, which would darken by half a level.
        noisy: Pixels = albumentations_transforms()["noise"].apply(
            pixels, noise_map=np.rint(field, out=field)
        )
        return noisy


def _factor(generator: np.random.Generator, change: Range) -> float:
    """Draw 1 − change or 1 + change, both equally often."""
    sign = 1.0 if generator.random() < 0.5 else -1.0
    return round(1.0 + sign * uniform(generator, change), DECIMALS)


def _normal_field(seed: int, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return standard normal noise, float32, the same for a seed with every version of NumPy.

    Each 16 bits of the counter-based stream choose one of 65,536 quantiles of the normal
    distribution (so nothing lies beyond ±4.4 σ): a third of the time of `standard_normal`, and
    the raw stream of Philox is fixed, where `Generator`'s way to normal variates is not (NEP 19).
    """
    number = math.prod(shape)
    raw = np.random.Philox(key=seed).random_raw(-(-number // 4))
    codes = raw.astype("<u8", copy=False).view("<u2")[:number]
    return _normal_quantiles().take(codes).reshape(shape)


@cache
def _normal_quantiles() -> npt.NDArray[np.float32]:
    """Return the normal quantiles at (k + ½) / 65,536, float32, shape (65536,)."""
    quantile = NormalDist().inv_cdf
    return np.array([quantile((code + 0.5) / 2**16) for code in range(2**16)], np.float32)


def _kernel(sigma: float) -> npt.NDArray[np.float64]:
    """Return the taps of a Gaussian, float64, shape (2·⌊3.5 σ⌋ + 1,), summing to 1."""
    radius = int(sigma * 3.5)  # albumentations' and PIL's choice of where to cut it off
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.asarray(taps / taps.sum(), np.float64)
