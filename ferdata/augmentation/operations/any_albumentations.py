"""Any transform of albumentations by the name of its class.

A copy's row keeps the class, its parameters and a seed; each time the row is rendered, the
transform draws its own values from the seed again. Another version of albumentations may draw other
values, which is why its version is part of the plan's hash. The transform is applied inside
`albumentations.Compose` with the seed, which gives it generators of its own (albumentations 2.0.8,
`Compose.set_random_seed`), so it depends neither on the global states of `random` and NumPy nor on
what was rendered before.

Points are carried as the keypoints of albumentations. `Affine`, `Rotate`, `CropAndPad` and
`Perspective` keep them on their features to a fraction of a pixel; the distortions
(`ElasticTransform`, `GridDistortion`, `OpticalDistortion`, `ThinPlateSpline`, `PiecewiseAffine`)
only to one or a few pixels, less with `keypoint_remapping_method: direct` (mean of the first two:
1.1 px, then 0.6).
"""

from __future__ import annotations

import inspect
import json
import re
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, ClassVar

import numpy as np

from ferdata.augmentation.operations.albumentations_import import import_albumentations
from ferdata.augmentation.operations.base import Operation, Pixels, Points, Values, is_seed
from ferdata.core.errors import OptionError, UnknownNameError

_BASES = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D"}
_MIRRORING = ("HorizontalFlip", "Transpose", "D4", "CubicSymmetry")  # and their subclasses
_TRIAL_SIDE = 113  # pixels; a side that nobody asks a transform for
_TRIAL_SEEDS = range(8)


@dataclass(frozen=True)
class Albumentations(Operation):
    """One transform of albumentations, tried on a small image when the operation is made.

    Attributes:
        transform: The class, for instance `CLAHE`.
        parameters: Its parameters, plain JSON values; without `p`, which is `probability`.

    Raises:
        UnknownNameError: albumentations has no such transform.
        OptionError: The parameters are not plain values or not those of the class, or the transform
            can't be used: it mirrors left and right, needs more than an image, changes the size or
            type of an image, or changes nothing at all.
    """

    transform: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    name: ClassVar[str] = "albumentations"
    drawn: ClassVar[tuple[str, ...]] = ("transform", "parameters", "seed")
    expects: ClassVar[str] = "the name of a class, a mapping of parameters and an integer"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.transform, str) and self.transform):
            raise OptionError(
                f"{self.name}: transform is the name of a class, for instance CLAHE; "
                f"got {self.transform!r}"
            )
        object.__setattr__(self, "parameters", self._plain_parameters())
        _try(self.transform, json.dumps(self.parameters, sort_keys=True))

    def _plain_parameters(self) -> dict[str, Any]:
        """Return a copy of the parameters as JSON gives them back: tuples become lists."""
        what = f"{self.name}: the parameters of {self.transform}"
        if not isinstance(self.parameters, Mapping):
            raise OptionError(f"{what} are a mapping of names to values; got {self.parameters!r}")
        parameters = dict(self.parameters)
        if not all(isinstance(key, str) for key in parameters):
            raise OptionError(f"{what} have names that are not text: {parameters!r}")
        if "p" in parameters:
            raise OptionError(f"{what} can't have p; write probability beside transform instead")
        try:
            plain: dict[str, Any] = json.loads(json.dumps(parameters, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise OptionError(
                f"{what} must be plain values: numbers, text, true, false, null, lists and "
                f"mappings of these ({error})"
            ) from error
        return plain

    @property
    def varies(self) -> bool:
        """Whether the transform draws anything at all."""
        return _try(self.transform, json.dumps(self.parameters, sort_keys=True))

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw the 32-bit `seed` from which the transform draws its own values."""
        return {
            "transform": self.transform,
            "parameters": self.parameters,
            "seed": int(generator.random() * 2**32),
        }

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Return whether there are a name, parameters and a seed."""
        return (
            isinstance(values["transform"], str)
            and isinstance(values["parameters"], dict)
            and is_seed(values["seed"])
        )

    @classmethod
    def render(cls, pixels: Pixels, values: Values) -> Pixels:
        """Apply the transform with the values that it draws from the seed."""
        return cls.carry(pixels, np.empty((0, 2)), values)[0]

    @classmethod
    def carry(cls, pixels: Pixels, points: Points, values: Values) -> tuple[Pixels, Points]:
        """Apply the transform to an image and, as its keypoints, to the points on it.

        Points have float32 precision, and are NaN where a distortion lost them beyond the border.

        Raises:
            UnknownNameError: albumentations has no such transform.
            OptionError: It can't be made with these parameters, can't be applied to this image, or
                changes its size or type.
        """
        transform = values["transform"]
        parameters = json.dumps(values["parameters"], sort_keys=True)
        compose, carries_points = _compose(transform, parameters, threading.get_ident())
        compose.set_random_seed(values["seed"])
        inputs: dict[str, Any] = {"image": np.array(pixels, order="C")}
        if carries_points:
            known = np.flatnonzero(np.isfinite(points).all(axis=1))
            inputs |= {"keypoints": points[known], "indices": known}
        try:
            result = compose(**inputs)
        except Exception as error:
            raise OptionError(
                f"albumentations: {transform} can't be applied to an image of shape "
                f"{pixels.shape}: {_in_short(error)}. Transforms that need more than an image "
                "can't be used here"
            ) from error
        image = result["image"]
        if image.shape != pixels.shape or image.dtype != np.uint8:
            raise OptionError(
                f"albumentations: {transform} makes {image.dtype} {image.shape} of uint8 "
                f"{pixels.shape}; an operation must keep the size and the type of an image"
            )
        if not carries_points:
            return image, points
        moved = np.full(points.shape, np.nan)
        if len(result["indices"]):
            moved[np.asarray(result["indices"], np.int64)] = result["keypoints"]
        return image, moved


@lru_cache(maxsize=64)
def _compose(transform: str, parameters: str, thread: int) -> tuple[Any, bool]:  # noqa: ARG001 - one for each thread: it has a state
    """Return a transform with probability 1, ready for a seed, and whether it carries points."""
    library = import_albumentations()
    kinds = _classes()
    if transform not in kinds:
        raise UnknownNameError("albumentations transform", transform, kinds)
    kind = kinds[transform]
    if issubclass(kind, tuple(getattr(library, name) for name in _MIRRORING)):
        raise _mirroring_error(transform)
    known = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
    given = json.loads(parameters)
    for name in given:
        if name not in known:  # albumentations would only warn and ignore it
            raise UnknownNameError(f"parameter of {transform}", name, set(known) - {"p"})
    try:
        with warnings.catch_warnings():  # advice on other classes
            warnings.simplefilter("ignore")
            made = kind(**given, p=1.0)
    except Exception as error:
        raise OptionError(
            f"albumentations: {transform} can't be made with {parameters}: {_in_short(error)}"
        ) from error
    if not isinstance(made, library.DualTransform):
        return library.Compose([made]), False
    params = library.KeypointParams("xy", label_fields=["indices"], remove_invisible=False)
    return library.Compose([made], keypoint_params=params), True


@cache
def _classes() -> dict[str, Any]:
    """Return the transforms of albumentations by name, without their abstract bases."""
    library = import_albumentations()
    return {
        name: member
        for name, member in vars(library).items()
        if inspect.isclass(member)
        and issubclass(member, library.BasicTransform)
        and name not in _BASES
    }


@cache
def _try(transform: str, parameters: str) -> bool:
    """Try a transform on a small image with a few seeds; return whether two results differ."""
    pixels, triangle = _trial_image()
    values = {"transform": transform, "parameters": json.loads(parameters)}
    images = []
    for seed in _TRIAL_SEEDS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image, moved = Albumentations.carry(pixels, triangle, {**values, "seed": seed})
        if transform != "VerticalFlip" and _signed_area(moved) * _signed_area(triangle) < 0:
            raise _mirroring_error(transform)
        images.append(image)
    if all(np.array_equal(image, pixels) for image in images):
        raise OptionError(
            f"albumentations: {transform} with {parameters} changes nothing on an image alone"
        )
    return not all(np.array_equal(image, images[0]) for image in images)


def _mirroring_error(transform: str) -> OptionError:
    return OptionError(
        f"albumentations: {transform} mirrors left and right without exchanging left and right "
        "landmarks; use the operation horizontal_flip"
    )


def _trial_image() -> tuple[Pixels, Points]:
    """Return an image with shading, edges and texture, and a small triangle in its middle."""
    y, x = np.mgrid[:_TRIAL_SIDE, :_TRIAL_SIDE]
    pixels = np.stack([30 + x, 40 + y, 20 + (x + y) // 2], axis=-1)
    pixels[30:60, 40:80] = (220, 150, 130)
    pixels += ((7 * x + 13 * y + x * y) % 23 - 11)[..., None]
    middle = _TRIAL_SIDE // 2
    triangle = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]]) + middle - 3
    return pixels.astype(np.uint8), triangle


def _signed_area(triangle: Points) -> float:
    """Return twice the signed area of a triangle."""
    (ax, ay), (bx, by) = triangle[1] - triangle[0], triangle[2] - triangle[0]
    return float(ax * by - ay * bx)


def _in_short(error: Exception) -> str:
    """Return an error's message on one line, without the links and types that pydantic adds."""
    text = re.sub(r"\[type=.*?\]|For further information visit \S+", "", str(error))
    return f"{type(error).__name__}: {' '.join(text.split())}"[:300].rstrip(" .")
