"""Any transform of albumentations by the name of its class.

A copy's row keeps the class, its parameters and a seed; the transform draws its own values from the
seed again each time the row is rendered. With another version of albumentations these may be other
values, which is why the version belongs to what a plan hash covers.

Points are carried as albumentations' keypoints. `Affine`, `Rotate`, `CropAndPad` and `Perspective`
keep them on their features to a fraction of a pixel; its distortions (`ElasticTransform`,
`GridDistortion`, `OpticalDistortion`, `ThinPlateSpline`, `PiecewiseAffine`) only to one or a few
pixels, less with `keypoint_remapping_method: direct` (mean of the first two: 1.1 px, then 0.6).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ferdata.augmentation.operations.base import Operation, Pixels, Points, Values, is_seed
from ferdata.augmentation.operations.transforms import apply_transform, try_transform
from ferdata.core.errors import OptionError


@dataclass(frozen=True)
class Albumentations(Operation):
    """One transform of albumentations, tried on a small picture when the operation is made.

    Attributes:
        transform: The class, for instance `CLAHE`.
        parameters: What to make it with, plain JSON values; without `p`, which `probability` is.

    Raises:
        UnknownNameError: albumentations has no such transform.
        OptionError: The parameters are not plain values or not those of the class, or the transform
            mirrors left and right, needs more than a picture, or changes its size or type.
    """

    transform: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    name: ClassVar[str] = "albumentations"
    drawn: ClassVar[tuple[str, ...]] = ("transform", "parameters", "seed")
    expects: ClassVar[str] = "the name of a class, a mapping of parameters and a whole number"
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.transform, str) and self.transform):
            raise OptionError(
                f"{self.name}: transform is the name of a class, for instance CLAHE; "
                f"got {self.transform!r}"
            )
        object.__setattr__(self, "parameters", self._plain_parameters())
        try_transform(self.transform, self.parameters)

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
        return try_transform(self.transform, self.parameters)

    def draw(self, generator: np.random.Generator) -> dict[str, Any]:
        """Draw the 32-bit `seed` that the transform draws its own values from."""
        return {
            "transform": self.transform,
            "parameters": self.parameters,
            "seed": int(generator.random() * 2**32),
        }

    @classmethod
    def accepts(cls, values: Values) -> bool:
        """Tell whether there are a name, parameters and a seed."""
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
        """Apply the transform to an image and, as its keypoints, to the points on it."""
        return apply_transform(
            values["transform"], values["parameters"], values["seed"], pixels, points
        )
