"""What all operations have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import OptionError

if TYPE_CHECKING:  # training needs torch, stored copies don't
    from torch import Tensor

Pixels: TypeAlias = npt.NDArray[np.uint8]
Points: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = Mapping[str, Any]
Range: TypeAlias = tuple[float, float]

DECIMALS = 4  # of a drawn value, so that rows stay readable; steps far too small to see


class DrawBatch(Protocol):
    """Draws one value for each image of a batch on the device."""

    def __call__(self, bounds: Range, *, both_ways: bool = False) -> Tensor:
        """Draw uniformly between two bounds, float32, shape (B,); `both_ways`: of either sign."""


@dataclass(frozen=True)
class Operation(ABC):
    """One kind of augmentation; a subclass is a frozen dataclass whose fields are its options.

    Attributes:
        probability: How often a copy gets it, 0–1.
        name: The operation's name in `operations`.
        limits: The fields that are ranges, each with the widest range that it can be.
        drawn: The names of the values that it draws; none for an operation that is on or off.
        expects: Which values can have been drawn, in words.
        mirrors: Whether it exchanges left and right, and with them the landmarks.
        moves: Whether it may move points on the image; `carry` then does so.
    """

    probability: float = 0.5

    name: ClassVar[str]
    limits: ClassVar[Mapping[str, Range]] = {}
    drawn: ClassVar[tuple[str, ...]] = ()
    expects: ClassVar[str] = "positive numbers, and integers for a seed"
    mirrors: ClassVar[bool] = False
    moves: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (is_number(self.probability) and 0 <= self.probability <= 1):
            raise OptionError(f"{self.name}: probability {self.probability!r} is not within 0–1")
        for field, widest in self.limits.items():
            require_range(self.name, field, getattr(self, field), widest)

    @property
    def varies(self) -> bool:
        """Whether two copies that both get it are (nearly) always different."""
        return bool(self.drawn)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:  # noqa: ARG002 - an operation that is on or off draws nothing
        """Draw the values of one copy, rounded to four decimals."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the name and all options as plain JSON values.

        `ferdata.augmentation.operation_config.load_operations` makes an equal operation of them.
        """
        fields = asdict(self).items()
        return {"op": self.name} | {
            name: list(value) if isinstance(value, tuple) else value for name, value in fields
        }

    @classmethod
    def takes(cls, values: Values) -> bool:
        """Return whether values are all that `render` needs, and nothing else."""
        return set(values) == set(cls.drawn) and cls.accepts(values)

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Return whether values, one for each name in `drawn`, can have been drawn."""
        return all(
            is_seed(value) if name == "seed" else is_number(value) and value > 0
            for name, value in values.items()
        )

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

    @classmethod
    def carry(cls, pixels: Pixels, points: Points, values: Values) -> tuple[Pixels, Points]:
        """Apply the operation to an image and to points on it.

        Args:
            pixels: uint8 RGB, shape (H, W, 3); not changed.
            points: float64 (N, 2), pixels; NaN where unknown; not changed.
            values: What `draw` returned.

        Returns:
            The image, and the points in the same order: the same object if none was moved.
        """
        return cls.render(pixels, values), points


def uniform(generator: np.random.Generator, bounds: Range) -> float:
    """Draw a number between two bounds."""
    # By hand, from the one method of `Generator` whose stream is the bit generator's own.
    low, high = bounds
    return low + (high - low) * generator.random()


def sign(generator: np.random.Generator) -> float:
    """Draw −1 or 1."""
    return -1.0 if generator.random() < 0.5 else 1.0


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_seed(value: Any) -> bool:
    """Return whether a value is an integer that can be a seed."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def require_range(name: str, field: str, bounds: Any, widest: Range) -> None:
    """Check that an option is a range of two numbers within its limits.

    Raises:
        OptionError: It is not.
    """
    if not (isinstance(bounds, tuple) and len(bounds) == 2 and all(map(is_number, bounds))):
        got = list(bounds) if isinstance(bounds, tuple) else bounds
        raise OptionError(f"{name}: {field} is a range of two numbers, [low, high]; got {got!r}")
    (low, high), (least, most) = bounds, widest
    if not least <= low <= high <= most:
        raise OptionError(f"{name}: {field} {low}–{high} is not a range within {least:g}–{most:g}")
