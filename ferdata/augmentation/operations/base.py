"""What every kind of augmentation has in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import OptionError

Pixels: TypeAlias = npt.NDArray[np.uint8]
Points: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = Mapping[str, Any]
Range: TypeAlias = tuple[float, float]

DECIMALS = 4  # of a drawn value, so that rows stay readable; steps far below what an eye can tell


@dataclass(frozen=True)
class Operation(ABC):
    """One kind of augmentation.

    Attributes:
        probability: How often a copy gets it, 0–1.
        name: The operation's name in `operations`.
        drawn: The names of the values that it draws; none for an operation that is on or off.
        expects: What values can have been drawn, in words.
        mirrors: Whether it exchanges left and right, and with them the landmarks.
        moves: Whether it may move what lies on the image; `carry` then does it.
    """

    probability: float = 0.5

    name: ClassVar[str]
    drawn: ClassVar[tuple[str, ...]] = ()
    expects: ClassVar[str] = "positive numbers, whole ones for a seed"
    mirrors: ClassVar[bool] = False
    moves: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (is_number(self.probability) and 0 <= self.probability <= 1):
            raise OptionError(f"{self.name}: probability {self.probability!r} is not within 0–1")

    @property
    def varies(self) -> bool:
        """Whether two copies that both get it are (nearly) always two pictures."""
        return bool(self.drawn)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:  # noqa: ARG002 - an operation that is on or off draws nothing
        """Draw the values of one copy, rounded to four decimals."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the name and the declared ranges as plain JSON values.

        `operation_list.operations_from` makes an equal operation of them again.
        """
        fields = asdict(self).items()
        return {"op": self.name} | {
            name: list(value) if isinstance(value, tuple) else value for name, value in fields
        }

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Tell whether values, one for each name in `drawn`, can have been drawn by this kind."""
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
        """Apply the operation to an image and to points that lie on it.

        Args:
            pixels: uint8 RGB, shape (H, W, 3); not changed.
            points: float64 (N, 2), pixels; NaN where unknown; not changed.
            values: What `draw` returned.

        Returns:
            The image, and the points in the same order: the same object where none was moved.
        """
        return cls.render(pixels, values), points


def uniform(generator: np.random.Generator, bounds: Range) -> float:
    """Draw a number between two bounds."""
    # By hand, from the one method of `Generator` whose stream is the bit generator's own.
    low, high = bounds
    return low + (high - low) * generator.random()


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_seed(value: Any) -> bool:
    """Tell whether a value is a whole number that a seed can be."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def require_range(name: str, what: str, bounds: Range, least: float, most: float) -> None:
    """Check a declared range.

    Args:
        name: The operation.
        what: The range's name.
        bounds: Its lower and its upper end.
        least: What the lower end can't be below.
        most: What the upper end can't be above.

    Raises:
        OptionError: It is not two numbers in this order within these limits.
    """
    if not (isinstance(bounds, tuple) and len(bounds) == 2 and all(map(is_number, bounds))):
        got = list(bounds) if isinstance(bounds, tuple) else bounds
        raise OptionError(f"{name}: {what} is a range of two numbers, [low, high]; got {got!r}")
    low, high = bounds
    if not least <= low <= high <= most:
        raise OptionError(f"{name}: {what} {low}–{high} is not a range within {least:g}–{most:g}")
