"""Operations that move the face, and with it the landmarks and the box.

Each is an affine map of the image onto itself, stated once, for numbers and for tensors: stored
copies are rendered through it by OpenCV, and batches on the device by torch
(`ferdata.models.inputs`). Rendering is bilinear and repeats the edge of the image beyond it.
Integer coordinates are pixel centers, as in `ferdata.faces.align`; the center of an image is at
((W − 1) / 2, (H − 1) / 2).

A range may start at no change at all, as in papers ("0–20°"). For a stored copy, a draw too small
to show is replaced by the smallest that does in images of 48 px and more (`cv2.warpAffine` resolves
1/32 px), so that an operation in a row has always changed its image.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import cv2
import numpy as np

from ferdata.augmentation.operations.albumentations_import import shared_transforms
from ferdata.augmentation.operations.base import (
    DECIMALS,
    DrawBatch,
    Operation,
    Pixels,
    Points,
    Range,
    Values,
    is_number,
    sign,
    uniform,
)
from ferdata.core.errors import OptionError
from ferdata.faces.align import Matrix, transform_points

if TYPE_CHECKING:  # training needs torch, stored copies don't
    from torch import Tensor

Entry: TypeAlias = "float | Tensor"
Rows: TypeAlias = tuple[tuple[Entry, Entry, Entry], tuple[Entry, Entry, Entry]]

_SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Affine(Operation):
    """An operation whose drawn values make one affine map of the image onto itself.

    Attributes:
        least: The smallest change that shows.
        reversed_axis: For mirror images: the axis of (…, H, W) that is reversed, which needs no
            resampling on the device.
    """

    moves: ClassVar[bool] = True
    expects: ClassVar[str] = "numbers"
    least: ClassVar[float] = 0.0
    reversed_axis: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in self.limits:
            if self.largest_change(getattr(self, field)) < self.least:
                raise OptionError(
                    f"{self.name}: {field} allows no visible change; "
                    f"allow one of at least {self.least:g}"
                )
        if not isinstance(both_ways := getattr(self, "both_ways", True), bool):
            raise OptionError(f"{self.name}: both_ways is true or false; got {both_ways!r}")

    @staticmethod
    def largest_change(bounds: Range) -> float:
        """Return the largest change within a range."""
        return bounds[1]

    @staticmethod
    @abstractmethod
    def map_about_center(values: Values, width: int, height: int) -> Rows:
        """Return the map from the image to the result, in pixels from the image's center.

        Args:
            values: Numbers as `draw` returns them, or tensors (B,) as `draw_batch` does.
            width: Width of the image, pixels.
            height: Height of the image, pixels.

        Returns:
            The two rows (a, b, x), (c, d, y) of the matrix; x to the right, y down.
        """

    def draw_batch(self, draw: DrawBatch) -> Values:  # noqa: ARG002 - mirror images draw nothing
        """Draw the values of a batch on the device, tensors of shape (B,)."""
        return {}

    @classmethod
    def matrix(cls, values: Values, width: int, height: int) -> Matrix:
        """Return the map in pixels from the center of the first pixel, float64 (2, 3)."""
        rows = np.array(cls.map_about_center(values, width, height), dtype=np.float64)
        linear, center = rows[:, :2].copy(), np.array([(width - 1) / 2, (height - 1) / 2])
        return np.column_stack([linear, center - linear @ center + rows[:, 2]])

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Return whether all values are finite numbers, of either sign."""
        return all(map(is_number, values.values()))

    @classmethod
    def carry(cls, pixels: Pixels, points: Points, values: Values) -> tuple[Pixels, Points]:
        """Apply the map to an image and to points on it."""
        height, width = pixels.shape[:2]
        moved = transform_points(points, cls.matrix(values, width, height))
        return cls.render(pixels, values), moved

    @classmethod
    def render(cls, pixels: Pixels, values: Values) -> Pixels:
        """Render the image through the map."""
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
class HorizontalFlip(Affine):
    """Mirror left and right: column x becomes column W − 1 − x.

    Expressions are (nearly) symmetric; letters, and which side is which, are not kept.
    """

    name: ClassVar[str] = "horizontal_flip"
    mirrors: ClassVar[bool] = True
    reversed_axis: ClassVar[int | None] = -1

    @staticmethod
    def map_about_center(values: Values, width: int, height: int) -> Rows:  # noqa: ARG004 - the same for all
        """Return the map (x, y) → (−x, y)."""
        return (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0)

    @classmethod
    def render(cls, pixels: Pixels, values: Values) -> Pixels:  # noqa: ARG003 - draws none
        """Mirror the image; no pixel's value changes."""
        flipped: Pixels = shared_transforms()["flip"].apply(pixels)
        return flipped


@dataclass(frozen=True)
class VerticalFlip(Affine):
    """Turn the image upside down by mirroring it: row y becomes row H − 1 − y.

    No landmarks change places: a scheme's left and right are those of the image, and what is on its
    left stays there. (The face is still a mirror image: rotated upright by 180°, its points would
    be those of a horizontal flip before left and right are exchanged.)
    """

    name: ClassVar[str] = "vertical_flip"
    reversed_axis: ClassVar[int | None] = -2

    @staticmethod
    def map_about_center(values: Values, width: int, height: int) -> Rows:  # noqa: ARG004 - the same for all
        """Return the map (x, y) → (x, −y)."""
        return (1.0, 0.0, 0.0), (0.0, -1.0, 0.0)

    @classmethod
    def render(cls, pixels: Pixels, values: Values) -> Pixels:  # noqa: ARG003 - draws none
        """Mirror the image top to bottom; no pixel's value changes."""
        return np.ascontiguousarray(pixels[::-1])


@dataclass(frozen=True)
class Rotation(Affine):
    """Rotate the image about its center.

    Attributes:
        degrees: Smallest and largest angle. To 20°, the range of A-MobileNet (Nan et al.,
            Alexandria Engineering Journal 61, 2022, section 3.1).
        both_ways: Rotate clockwise as often as counterclockwise; else only counterclockwise.
    """

    degrees: Range = (0.0, 20.0)
    both_ways: bool = True

    name: ClassVar[str] = "rotation"
    limits: ClassVar[dict[str, Range]] = {"degrees": (0.0, 180.0)}
    least: ClassVar[float] = 0.1  # 0.06 px in the corners of a 48 px image
    drawn: ClassVar[tuple[str, ...]] = ("degrees",)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `degrees`, positive counterclockwise as the image is seen."""
        way = sign(generator) if self.both_ways else 1.0
        return {"degrees": round(way * max(uniform(generator, self.degrees), self.least), DECIMALS)}

    def draw_batch(self, draw: DrawBatch) -> Values:
        """Draw `degrees`."""
        return {"degrees": draw(self.degrees, both_ways=self.both_ways)}

    @staticmethod
    def map_about_center(values: Values, width: int, height: int) -> Rows:  # noqa: ARG004 - the same for all
        """Return the rotation; y points down, so its sines change sign."""
        angle = values["degrees"] * (math.pi / 180)
        cos, sin = (
            (math.cos(angle), math.sin(angle))
            if isinstance(angle, float)
            else (angle.cos(), angle.sin())
        )
        return (cos, sin, 0.0), (-sin, cos, 0.0)


@dataclass(frozen=True)
class Scale(Affine):
    """Enlarge or shrink the image about its center.

    Attributes:
        factor: Smallest and largest factor; below 1 shrinks, and repeats the edge around the image.
    """

    factor: Range = (0.9, 1.1)

    name: ClassVar[str] = "scale"
    limits: ClassVar[dict[str, Range]] = {"factor": (0.5, 2.0)}
    least: ClassVar[float] = 0.002  # of the distance from the center: 0.05 px at the sides of 48 px
    drawn: ClassVar[tuple[str, ...]] = ("factor",)
    expects: ClassVar[str] = "a positive number"

    @staticmethod
    def largest_change(bounds: Range) -> float:
        """Return the largest distance from 1 within a range."""
        return max(1 - bounds[0], bounds[1] - 1)

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Return whether the factor is a positive number."""
        return is_number(values["factor"]) and values["factor"] > 0

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `factor` uniformly."""
        low, high = self.factor
        factor = uniform(generator, self.factor)
        if abs(factor - 1) < self.least:
            smaller, larger = 1 - self.least, 1 + self.least
            factor = smaller if low <= smaller and (factor < 1 or high < larger) else larger
        return {"factor": round(factor, DECIMALS)}

    def draw_batch(self, draw: DrawBatch) -> Values:
        """Draw `factor`."""
        return {"factor": draw(self.factor)}

    @staticmethod
    def map_about_center(values: Values, width: int, height: int) -> Rows:  # noqa: ARG004 - the same for all
        """Return the scaling."""
        factor = values["factor"]
        return (factor, 0.0, 0.0), (0.0, factor, 0.0)


@dataclass(frozen=True)
class Translation(Affine):
    """Shift the image.

    Attributes:
        share: Smallest and largest shift, as a fraction of the width across and of the height down,
            drawn independently.
        both_ways: Shift left as often as right and up as often as down; else only right and down.
    """

    share: Range = (0.0, 0.1)
    both_ways: bool = True

    name: ClassVar[str] = "translation"
    limits: ClassVar[dict[str, Range]] = {"share": (0.0, 0.5)}
    least: ClassVar[float] = 0.002  # of the side: 0.1 px of 48
    drawn: ClassVar[tuple[str, ...]] = ("x", "y")

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw `x` and `y`, fractions of the width and height, positive to the right and down."""
        ways = [sign(generator) if self.both_ways else 1.0 for _ in range(2)]
        shifts = [uniform(generator, self.share) for _ in range(2)]
        if max(shifts) < self.least:
            shifts[0] = self.least
        x, y = (round(way * shift, DECIMALS) for way, shift in zip(ways, shifts, strict=True))
        return {"x": x, "y": y}

    def draw_batch(self, draw: DrawBatch) -> Values:
        """Draw `x` and `y`."""
        return {axis: draw(self.share, both_ways=self.both_ways) for axis in self.drawn}

    @staticmethod
    def map_about_center(values: Values, width: int, height: int) -> Rows:
        """Return the shift."""
        return (1.0, 0.0, values["x"] * width), (0.0, 1.0, values["y"] * height)


@dataclass(frozen=True)
class Crop(Affine):
    """Cut off the sides of the image and enlarge the rest to the full size again.

    The four cuts are drawn independently, so the proportions of the face may change a little.

    Attributes:
        share: Smallest and largest cut at one side, as a fraction of the width (left and right) or
            of the height (top and bottom). To 0.2, as in A-MobileNet ("crop (0–0.2)", section 3.1),
            read as the fraction at each side.
    """

    share: Range = (0.0, 0.2)

    name: ClassVar[str] = "crop"
    limits: ClassVar[dict[str, Range]] = {"share": (0.0, 0.45)}
    least: ClassVar[float] = 0.002  # of the side: 0.1 px of 48
    drawn: ClassVar[tuple[str, ...]] = _SIDES
    expects: ClassVar[str] = "fractions from 0 up that leave something of the image"

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Return whether the cuts leave something of the image."""
        if not all(is_number(value) and value >= 0 for value in values.values()):
            return False
        return bool(values["left"] + values["right"] < 1 and values["top"] + values["bottom"] < 1)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw the cut at each side."""
        cuts = [uniform(generator, self.share) for _ in _SIDES]
        if max(cuts) < self.least:
            cuts[0] = self.least
        return {side: round(cut, DECIMALS) for side, cut in zip(_SIDES, cuts, strict=True)}

    def draw_batch(self, draw: DrawBatch) -> Values:
        """Draw the cut at each side."""
        return {side: draw(self.share) for side in _SIDES}

    @staticmethod
    def map_about_center(values: Values, width: int, height: int) -> Rows:
        """Return the map of the middle of the rest to the center of the image."""
        left, top, right, bottom = (values[side] for side in _SIDES)
        x_scale, y_scale = 1.0 / (1.0 - left - right), 1.0 / (1.0 - top - bottom)
        x, y = (right - left) / 2 * width * x_scale, (bottom - top) / 2 * height * y_scale
        return (x_scale, 0.0, x), (0.0, y_scale, y)

    @classmethod
    def matrix(cls, values: Values, width: int, height: int) -> Matrix:
        """Return the same map, its shift computed from the edges.

        It differs from the general formula in the last bit, and stored copies keep theirs.
        """
        (x_scale, _, _), (_, y_scale, _) = cls.map_about_center(values, width, height)
        x = (0.5 - values["left"] * width) * x_scale - 0.5
        y = (0.5 - values["top"] * height) * y_scale - 0.5
        return np.array([[x_scale, 0.0, x], [0.0, y_scale, y]])
