"""Kinds that move the face, and with it the landmarks and the box.

Each is one affine map of the image onto itself, which pixels and points go through alike: bilinear,
beyond the edge of the image its edge is repeated. Integer coordinates are
pixel centers, as in `ferdata.faces.align`; the center of an image is at ((W − 1) / 2, (H − 1) / 2).

A range may start at no change at all, as the papers' do ("0–20°"). A draw too small to show is then
replaced by the least one that does, at 48 px and larger: `cv2.warpAffine` resolves 1/32 px. So an
operation that a row names has always changed its picture.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from ferdata.augmentation.operations.base import (
    DECIMALS,
    Operation,
    Pixels,
    Points,
    Range,
    Values,
    is_number,
    require_range,
    uniform,
)
from ferdata.core.errors import OptionError
from ferdata.faces.align import Matrix, transform_points

LEAST_DEGREES = 0.1  # 0.06 px in the corners of a 48 px image
LEAST_SHARE = 0.002  # of the side: 0.1 px of 48
LEAST_SCALE = 0.002  # of the distance from the center: 0.05 px at the sides of a 48 px image

_SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Affine(Operation):
    """A kind whose drawn values make one affine map of the image onto itself."""

    moves: ClassVar[bool] = True
    expects: ClassVar[str] = "numbers"

    @staticmethod
    @abstractmethod
    def matrix(values: Values, width: int, height: int) -> Matrix:
        """Return the map from the image to the result, float64 (2, 3), in pixels.

        Args:
            values: What `draw` returned.
            width: Width of the image, pixels.
            height: Height of the image, pixels.
        """

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Tell whether all values are finite numbers, of either sign."""
        return all(map(is_number, values.values()))

    @classmethod
    def carry(cls, pixels: Pixels, points: Points, values: Values) -> tuple[Pixels, Points]:
        """Apply the map to an image and to points on it."""
        height, width = pixels.shape[:2]
        moved = transform_points(points, cls.matrix(values, width, height))
        return cls.render(pixels, values), moved

    @classmethod
    def render(cls, pixels: Pixels, values: Values) -> Pixels:
        """Render the image through the map, bilinear, with its edge repeated."""
        height, width = pixels.shape[:2]
        warped = cv2.warpAffine(
            pixels,
            cls.matrix(values, width, height),
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(warped, np.uint8)


@dataclass(frozen=True)
class Rotation(Affine):
    """Turn the image about its center.

    Attributes:
        degrees: Smallest and largest angle. To 20°, the range of A-MobileNet (Nan et al.,
            Alexandria Engineering Journal 61, 2022, section 3.1).
        both_ways: Turn clockwise as often as counter-clockwise; else only counter-clockwise.
    """

    degrees: Range = (0.0, 20.0)
    both_ways: bool = True

    name: ClassVar[str] = "rotation"
    drawn: ClassVar[tuple[str, ...]] = ("degrees",)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "degrees", self.degrees, 0.0, 180.0)
        _require_effect(self.name, "degrees", self.degrees[1], LEAST_DEGREES)
        _require_switch(self.name, self.both_ways)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `degrees`, positive counter-clockwise as the image is seen."""
        sign = _sign(generator, self.both_ways)
        angle = max(uniform(generator, self.degrees), LEAST_DEGREES)
        return {"degrees": round(sign * angle, DECIMALS)}

    @staticmethod
    def matrix(values: Values, width: int, height: int) -> Matrix:
        """Return the rotation about the center; y points down, so its sines change sign."""
        angle = math.radians(values["degrees"])
        cos, sin = math.cos(angle), math.sin(angle)
        return _about_center(np.array([[cos, sin], [-sin, cos]]), width, height)


@dataclass(frozen=True)
class Scale(Affine):
    """Enlarge or shrink the image about its center.

    Attributes:
        factor: Smallest and largest factor; below 1 shrinks, and the border is repeated edge.
    """

    factor: Range = (0.9, 1.1)

    name: ClassVar[str] = "scale"
    drawn: ClassVar[tuple[str, ...]] = ("factor",)
    expects: ClassVar[str] = "a positive number"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "factor", self.factor, 0.5, 2.0)
        _require_effect(
            self.name, "factor", max(1 - self.factor[0], self.factor[1] - 1), LEAST_SCALE
        )

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Tell whether the factor is a positive number."""
        return is_number(values["factor"]) and values["factor"] > 0

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `factor` uniformly."""
        low, high = self.factor
        factor = uniform(generator, self.factor)
        if abs(factor - 1) < LEAST_SCALE:
            smaller, larger = 1 - LEAST_SCALE, 1 + LEAST_SCALE
            factor = smaller if low <= smaller and (factor < 1 or high < larger) else larger
        return {"factor": round(factor, DECIMALS)}

    @staticmethod
    def matrix(values: Values, width: int, height: int) -> Matrix:
        """Return the scaling about the center."""
        return _about_center(np.eye(2) * float(values["factor"]), width, height)


@dataclass(frozen=True)
class Translation(Affine):
    """Shift the image.

    Attributes:
        share: Smallest and largest shift, a share of the width across and of the height down; each
            is drawn for itself.
        both_ways: Shift left as often as right and up as often as down; else only right and down.
    """

    share: Range = (0.0, 0.1)
    both_ways: bool = True

    name: ClassVar[str] = "translation"
    drawn: ClassVar[tuple[str, ...]] = ("x", "y")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "share", self.share, 0.0, 0.5)
        _require_effect(self.name, "share", self.share[1], LEAST_SHARE)
        _require_switch(self.name, self.both_ways)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `x` and `y`, shares of the width and height, positive to the right and down."""
        signs = [_sign(generator, self.both_ways) for _ in range(2)]
        shares = [uniform(generator, self.share) for _ in range(2)]
        if max(shares) < LEAST_SHARE:
            shares[0] = LEAST_SHARE
        x, y = (round(sign * share, DECIMALS) for sign, share in zip(signs, shares, strict=True))
        return {"x": x, "y": y}

    @staticmethod
    def matrix(values: Values, width: int, height: int) -> Matrix:
        """Return the shift."""
        return np.array([[1.0, 0.0, values["x"] * width], [0.0, 1.0, values["y"] * height]])


@dataclass(frozen=True)
class Crop(Affine):
    """Cut off the sides of the image and enlarge the rest to the full size again.

    Each of the four sides is cut for itself, so the face may change its proportions a little.

    Attributes:
        share: Smallest and largest cut at one side, a share of the width (left and right) or of the
            height (top and bottom). To 0.2, as in A-MobileNet ("crop (0–0.2)", section 3.1), read
            as the share at each side.
    """

    share: Range = (0.0, 0.2)

    name: ClassVar[str] = "crop"
    drawn: ClassVar[tuple[str, ...]] = _SIDES
    expects: ClassVar[str] = "shares from 0 up that leave something of the image"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range(self.name, "share", self.share, 0.0, 0.45)
        _require_effect(self.name, "share", self.share[1], LEAST_SHARE)

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Tell whether what is cut off leaves something."""
        if not all(is_number(value) and value >= 0 for value in values.values()):
            return False
        return bool(values["left"] + values["right"] < 1 and values["top"] + values["bottom"] < 1)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw the cut at each side."""
        cuts = [uniform(generator, self.share) for _ in _SIDES]
        if max(cuts) < LEAST_SHARE:
            cuts[0] = LEAST_SHARE
        return {side: round(cut, DECIMALS) for side, cut in zip(_SIDES, cuts, strict=True)}

    @staticmethod
    def matrix(values: Values, width: int, height: int) -> Matrix:
        """Return the map of what is left, edge to edge, onto the whole image."""
        x_scale = 1.0 / (1.0 - values["left"] - values["right"])
        y_scale = 1.0 / (1.0 - values["top"] - values["bottom"])
        x = (0.5 - values["left"] * width) * x_scale - 0.5
        y = (0.5 - values["top"] * height) * y_scale - 0.5
        return np.array([[x_scale, 0.0, x], [0.0, y_scale, y]])


def _about_center(linear: Matrix, width: int, height: int) -> Matrix:
    """Return the affine map with a linear part that leaves the image's center where it is."""
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.column_stack([linear, center - linear @ center])


def _sign(generator: np.random.Generator, both_ways: bool) -> float:
    return -1.0 if both_ways and generator.random() < 0.5 else 1.0


def _require_effect(name: str, what: str, largest: float, least: float) -> None:
    if largest < least:
        raise OptionError(
            f"{name}: {what} allows no change; it must allow one of at least {least:g}"
        )


def _require_switch(name: str, both_ways: Any) -> None:
    if not isinstance(both_ways, bool):
        raise OptionError(f"{name}: both_ways is true or false; got {both_ways!r}")
