"""Operations that change the values of an image and leave everything in its place."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.augmentation.operations.albumentations_import import shared_transforms
from ferdata.augmentation.operations.base import (
    DECIMALS,
    DrawBatch,
    Operation,
    Pixels,
    Range,
    Values,
    sign,
    uniform,
)
from ferdata.core.errors import OptionError

if TYPE_CHECKING:  # training needs torch, stored copies don't
    from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in luminance (ITU-R BT.601)."""


@dataclass(frozen=True)
class Photometric(Operation):
    """An operation on values that the device can do as well, with a strength for each image."""

    @abstractmethod
    def draw_batch(self, draw: DrawBatch) -> Tensor:
        """Draw the strength of each image of a batch, shape (B,); 0 would change nothing."""

    @abstractmethod
    def render_batch(self, images: Tensor, strength: Tensor) -> Tensor:
        """Apply the operation to a batch on the device.

        Args:
            images: float32, shape (B, C, H, W), values in 0–255; not changed.
            strength: float32, shape (B, 1, 1, 1); 0 leaves an image unchanged.

        Returns:
            float32, the same shape; may leave 0–255.
        """


def draw_factor(generator: np.random.Generator, change: Range) -> float:
    """Draw a factor 1 − high … 1 − low or 1 + low … 1 + high, both halves equally often."""
    return round(1.0 - sign(generator) * uniform(generator, change), DECIMALS)


@dataclass(frozen=True)
class Contrast(Photometric):
    """Multiply the distance of all pixels from the mean luminance by `factor` = 1 ± change.

    The mean is that of the image, not mid-gray, so that the image as a whole gets neither brighter
    nor darker, as it does with `brightness`.

    Attributes:
        change: Smallest and largest change, as a fraction of the distance from the mean. From 0.05,
            so that a copy always differs from its parent; to 0.30, where bright skin begins to
            clip.
    """

    change: Range = (0.05, 0.30)

    name: ClassVar[str] = "contrast"
    limits: ClassVar[dict[str, Range]] = {"change": (0.01, 0.9)}
    drawn: ClassVar[tuple[str, ...]] = ("factor",)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `factor` = 1 ± change."""
        return {"factor": draw_factor(generator, self.change)}

    def draw_batch(self, draw: DrawBatch) -> Tensor:
        """Draw the change of each image, of either sign."""
        return draw(self.change, both_ways=True)

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Stretch about the mean luminance (ITU-R BT.601), round, and clip to 0–255."""
        factor = float(values["factor"])
        mean = float(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).mean(dtype=np.float64))
        levels = np.rint(np.arange(256) * factor + (1.0 - factor) * mean)
        table = np.clip(levels, 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(pixels, table), np.uint8)

    def render_batch(self, images: Tensor, strength: Tensor) -> Tensor:
        """Stretch about the mean luminance."""
        mean = images.mean(dim=(-2, -1), keepdim=True)
        if images.shape[1] == len(_LUMA):
            mean = sum((w * mean[:, k, None] for k, w in enumerate(_LUMA)), mean.new_zeros(()))
        return mean + (images - mean) * (1 + strength)


@dataclass(frozen=True)
class GaussianBlur(Photometric):
    """Blur, like a lens out of focus or a moving head.

    Attributes:
        sigma: Smallest and largest standard deviation, pixels of the rendered image. Below 0.5
            the kernel is hardly more than its center; above 1.2 it begins to wash out wrinkles
            and lip lines, two or three pixels wide at 112, and the expression with them.
    """

    probability: float = 0.3
    sigma: Range = (0.5, 1.2)

    name: ClassVar[str] = "gaussian_blur"
    limits: ClassVar[dict[str, Range]] = {"sigma": (0.3, 10.0)}
    drawn: ClassVar[tuple[str, ...]] = ("sigma",)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `sigma` uniformly."""
        return {"sigma": round(uniform(generator, self.sigma), DECIMALS)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Convolve with a Gaussian of 2·⌊3.5 σ⌋ + 1 taps; the image is mirrored at its border."""
        sigma = values["sigma"]
        radius = int(sigma * 3.5)  # where albumentations and PIL cut it off
        taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        blurred: Pixels = shared_transforms()["blur"].apply(pixels, kernel=taps / taps.sum())
        return blurred

    def draw_batch(self, draw: DrawBatch) -> Tensor:
        """Draw the sigma of each image."""
        return draw(self.sigma)

    def render_batch(self, images: Tensor, strength: Tensor) -> Tensor:
        """Convolve each image with its own Gaussian, along the rows and then the columns."""
        import torch  # noqa: PLC0415 - see above
        from torch.nn import functional  # noqa: PLC0415

        number, channels, height, width = images.shape
        sigma = strength.view(-1, 1)
        # the reflected border can't be wider than the image
        radius = min(int(3.5 * self.sigma[1]), height - 1, width - 1)
        offsets = torch.arange(-radius, radius + 1, device=images.device)
        taps = torch.exp(-0.5 * (offsets / sigma) ** 2)
        taps = torch.where(sigma > 0, taps, (offsets == 0).float())
        taps = (taps / taps.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
        planes = images.reshape(1, number * channels, height, width)
        for shape, border in (((1, -1), (radius, radius, 0, 0)), ((-1, 1), (0, 0, radius, radius))):
            kernel = taps.reshape(number * channels, 1, *shape)
            padded = functional.pad(planes, border, mode="reflect")
            planes = functional.conv2d(padded, kernel, groups=number * channels)
        return planes.reshape(images.shape)


@dataclass(frozen=True)
class GaussianNoise(Photometric):
    """Add independent normal noise to each pixel, like a sensor in poor light.

    Attributes:
        sigma: Smallest and largest standard deviation, gray levels of 255. From 2, hardly
            visible; to 10, a signal-to-noise ratio of 22 dB on mid-gray, plainly grainy, with
            brows and lips still clear.
        color: Draw noise for each channel; if false, one for all, so that gray images stay gray and
            the noise is as strong in an image that is turned to gray.
    """

    sigma: Range = (2.0, 10.0)
    color: bool = True

    name: ClassVar[str] = "gaussian_noise"
    limits: ClassVar[dict[str, Range]] = {"sigma": (0.5, 127.0)}
    drawn: ClassVar[tuple[str, ...]] = ("sigma", "seed")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.color, bool):
            raise OptionError(f"{self.name}: color is true or false; got {self.color!r}")

    @classmethod
    def takes(cls, values: Values) -> bool:
        """Return whether there are a sigma and a seed, and of `color` nothing else than false."""
        needed = {name: value for name, value in values.items() if name != "color"}
        return super().takes(needed) and values.get("color", False) is False

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `sigma` uniformly, and the 32-bit `seed` of the noise field."""
        sigma = round(uniform(generator, self.sigma), DECIMALS)
        drawn = {"sigma": sigma, "seed": int(generator.random() * 2**32)}
        return drawn if self.color else drawn | {"color": False}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Add the noise field of `seed`, rounded to whole gray levels, and clip to 0–255."""
        height, width, channels = pixels.shape
        drawn = (height, width, channels if values.get("color", True) else 1)
        field = _normal_field(int(values["seed"]), drawn)
        field *= np.float32(values["sigma"])
        # rounded, since the sum is truncated, which would darken by half a level
        noisy: Pixels = shared_transforms()["noise"].apply(
            pixels, noise_map=np.broadcast_to(np.rint(field, out=field), pixels.shape)
        )
        return noisy

    def draw_batch(self, draw: DrawBatch) -> Tensor:
        """Draw the sigma of each image."""
        return draw(self.sigma)

    def render_batch(self, images: Tensor, strength: Tensor) -> Tensor:
        """Add noise from torch's generator."""
        import torch  # noqa: PLC0415 - see above

        noise = torch.randn_like(images if self.color else images[:, :1])
        return images + noise * strength


@dataclass(frozen=True)
class HistogramEqualization(Operation):
    """Use all levels of luminance equally often, see `equalize_histogram`."""

    name: ClassVar[str] = "histogram_equalization"

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:  # noqa: ARG004 - draws none
        """Equalize the luminance; the hue doesn't change."""
        return equalize_histogram(pixels)


def equalize_histogram(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Equalize the histogram of an image's luminance.

    Of color images, only Y of YCrCb (ITU-R BT.601) is equalized: each channel by itself would get a
    curve of its own, and skin another hue. Gray images (R = G = B, or shape (H, W) or (H, W, 1))
    get plain `cv2.equalizeHist`; images of one gray level don't change.

    Args:
        pixels: uint8, RGB of shape (H, W, 3), or gray of shape (H, W) or (H, W, 1); not changed.

    Returns:
        uint8, the same shape, never a view of the input.
    """
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.equalizeHist(pixels), np.uint8).reshape(pixels.shape)
    if (pixels == pixels[..., :1]).all():
        gray = cv2.equalizeHist(np.ascontiguousarray(pixels[..., 0]))
        return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8)
    luminance = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    luminance[..., 0] = cv2.equalizeHist(np.ascontiguousarray(luminance[..., 0]))
    return np.asarray(cv2.cvtColor(luminance, cv2.COLOR_YCrCb2RGB), np.uint8)


def _normal_field(seed: int, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return standard normal noise, float32, the same for a seed with every version of NumPy.

    Each 16 bits of the counter-based stream select one of 65,536 quantiles of the normal
    distribution (so nothing lies beyond ±4.4 σ). This takes a third of the time of
    `standard_normal`, and the raw stream of Philox is fixed, while the method by which `Generator`
    makes normal variates is not (NEP 19).
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
