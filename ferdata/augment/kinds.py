"""The kinds of augmentation: what each draws, from which range, and what it does to pixels.

An operation draws plain JSON values; a copy's row keeps them, and `render` makes the same pixels
from them again. Ranges play a part in drawing only, so changing one never changes a stored copy.

Pixels are made by albumentations 2.0.8, called one transform at a time with our values instead of
its own random ones.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from statistics import NormalDist
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from ferdata.augment.library import albumentations_transforms
from ferdata.errors import OptionError

Pixels: TypeAlias = npt.NDArray[np.uint8]
Values: TypeAlias = Mapping[str, float | int]

_DECIMALS = 4  # of a drawn value, so that rows stay readable; steps far below what an eye can tell


@dataclass(frozen=True)
class Operation(ABC):
    """One kind of augmentation.

    Attributes:
        probability: How often a copy gets it, 0–1.
        name: The operation's name in `operations`.
        parameters: The values that it draws; none for an operation that is on or off.
        mirrors: Whether it exchanges left and right, and with them the landmarks.
    """

    probability: float = 0.5

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]] = ()
    mirrors: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise OptionError(f"{self.name}: probability {self.probability} is not within 0–1")

    def draw(self, generator: np.random.Generator) -> dict[str, float | int]:  # noqa: ARG002 - an operation without parameters draws nothing
        """Draw the values of one copy, rounded to four decimals."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the name and the declared ranges as plain JSON values, for provenance."""
        fields = asdict(self).items()
        return {"op": self.name} | {
            name: list(value) if isinstance(value, tuple) else value for name, value in fields
        }

    @staticmethod
    @abstractmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Apply the operation with drawn values.

        Args:
            pixels: uint8 RGB, shape (H, W, 3); not changed.
            values: What `draw` returned.

        Returns:
            uint8, the same shape.
        """


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
class Brightness(Operation):
    """Multiply all pixels by `factor` = 1 ± change, as another exposure would.

    Attributes:
        change: Smallest and largest change, a share of the pixel value. From 0.05, a few grey
            levels, so that a copy is never its parent again; to 0.30, where the bright skin of a
            well exposed face (about 200 of 255) begins to clip.
    """

    probability: float = 0.8
    change: tuple[float, float] = (0.05, 0.30)

    name: ClassVar[str] = "brightness"
    parameters: ClassVar[tuple[str, ...]] = ("factor",)

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_range(self.name, "change", self.change, 0.0, 1.0)

    def draw(self, generator: np.random.Generator) -> dict[str, float | int]:
        """Draw `factor` in 1 − high … 1 − low or 1 + low … 1 + high, both halves equally often."""
        sign = 1.0 if generator.random() < 0.5 else -1.0
        return {"factor": round(1.0 + sign * _uniform(generator, self.change), _DECIMALS)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Multiply, round and clip to 0–255."""
        # albumentations cuts decimals off; adding a half makes that a rounding.
        bright: Pixels = albumentations_transforms()["brightness"].apply(
            pixels, alpha=float(values["factor"]), beta=0.5
        )
        return bright


@dataclass(frozen=True)
class GaussianBlur(Operation):
    """Blur, as a lens out of focus or a moving head would.

    Attributes:
        sigma: Smallest and largest standard deviation, pixels of the rendered image. Below 0.5
            the kernel is hardly more than its centre; above 1.2 it begins to wash out wrinkles
            and lip lines, two or three pixels wide at 112, and the expression with them.
    """

    probability: float = 0.3
    sigma: tuple[float, float] = (0.5, 1.2)

    name: ClassVar[str] = "gaussian_blur"
    parameters: ClassVar[tuple[str, ...]] = ("sigma",)

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_range(self.name, "sigma", self.sigma, 0.3, 10.0)

    def draw(self, generator: np.random.Generator) -> dict[str, float | int]:
        """Draw `sigma` uniformly."""
        return {"sigma": round(_uniform(generator, self.sigma), _DECIMALS)}

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
        sigma: Smallest and largest standard deviation, grey levels of 255. From 2, hardly
            visible; to 10, a signal-to-noise ratio of 22 dB on mid-grey, plainly grainy, with
            brows and lips still clear.
    """

    probability: float = 0.5
    sigma: tuple[float, float] = (2.0, 10.0)

    name: ClassVar[str] = "gaussian_noise"
    parameters: ClassVar[tuple[str, ...]] = ("sigma", "seed")

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_range(self.name, "sigma", self.sigma, 0.5, 127.0)

    def draw(self, generator: np.random.Generator) -> dict[str, float | int]:
        """Draw `sigma` uniformly, and the 32-bit `seed` that the noise field is made from."""
        sigma = round(_uniform(generator, self.sigma), _DECIMALS)
        return {"sigma": sigma, "seed": int(generator.random() * 2**32)}

    @staticmethod
    def render(pixels: Pixels, values: Values) -> Pixels:
        """Add the noise field of `seed`, rounded to whole grey levels, and clip to 0–255."""
        field = _normal_field(int(values["seed"]), pixels.shape)
        field *= np.float32(values["sigma"])
        # Rounded, since the sum's decimals are cut off, which would darken by half a level.
        noisy: Pixels = albumentations_transforms()["noise"].apply(
            pixels, noise_map=np.rint(field, out=field)
        )
        return noisy


def _uniform(generator: np.random.Generator, bounds: tuple[float, float]) -> float:
    # By hand, from the one method of `Generator` whose stream is the bit generator's own.
    low, high = bounds
    return low + (high - low) * generator.random()


def _require_range(
    name: str, what: str, bounds: tuple[float, float], least: float, most: float
) -> None:
    low, high = bounds
    if not least <= low <= high <= most:
        raise OptionError(f"{name}: {what} {low}–{high} is not a range within {least:g}–{most:g}")


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


OPERATIONS: tuple[Operation, ...] = (
    HorizontalFlip(),
    Brightness(),
    GaussianBlur(),
    GaussianNoise(),
)
"""The default operations in the order of a camera: scene, light, lens, sensor."""

KINDS: dict[str, type[Operation]] = {
    kind.name: kind for kind in (HorizontalFlip, Brightness, GaussianBlur, GaussianNoise)
}
"""Every kind of operation by its name in `operations`."""
