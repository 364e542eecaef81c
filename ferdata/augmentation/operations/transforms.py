"""Transforms of albumentations by name: found, made, tried on a small picture, and applied.

A transform is applied inside `albumentations.Compose` with a seed, which gives it generators of its
own (albumentations 2.0.8, `Compose.set_random_seed`): it then depends neither on the global states
of `random` and NumPy nor on what was rendered before, in this process or another.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ferdata.augmentation.albumentations_loader import albumentations_package
from ferdata.augmentation.operations.base import Pixels, Points
from ferdata.core.errors import OptionError, UnknownNameError

_BASES = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D"}
_MIRRORING = ("HorizontalFlip", "Transpose", "D4", "CubicSymmetry")  # and what derives from them
_TRIAL_SIDE = 113  # pixels; a side that nobody asks a transform for
_TRIAL_SEEDS = range(8)


@dataclass(frozen=True)
class _Made:
    """A transform made with its parameters, and whether points go through it."""

    compose: Any
    carries_points: bool


def try_transform(transform: str, parameters: Mapping[str, Any]) -> bool:
    """Try a transform on a small picture with a few seeds; a transform is tried only once.

    Args:
        transform: The name of an albumentations class.
        parameters: What to make it with, plain JSON values without `p`.

    Returns:
        Whether it draws anything: two seeds give two pictures.

    Raises:
        UnknownNameError: albumentations has no such transform.
        OptionError: The parameters are not those of the class, or the transform can't be used: it
            mirrors left and right, needs more than a picture, changes its size or type, or
            changes nothing at all.
    """
    return _try(transform, json.dumps(parameters, sort_keys=True))


def apply_transform(
    transform: str, parameters: Mapping[str, Any], seed: int, pixels: Pixels, points: Points
) -> tuple[Pixels, Points]:
    """Apply a transform with the values that it draws from a seed.

    Args:
        transform: The name of an albumentations class.
        parameters: What to make it with, plain JSON values without `p`.
        seed: From 0 up.
        pixels: uint8 RGB, shape (H, W, 3); not changed.
        points: float64 (N, 2), pixels; not changed. A point with NaN is unknown.

    Returns:
        The picture, uint8 of the same shape, and the points: the same object where the transform
        leaves them in place; else float64 (N, 2) to float32 precision, NaN where unknown and where
        a distortion lost the point beyond the border.

    Raises:
        UnknownNameError: albumentations has no such transform.
        OptionError: It can't be made with these parameters, can't be applied to this picture, or
            changes its size or type.
    """
    text = json.dumps(parameters, sort_keys=True)
    made = _made(transform, text, threading.get_ident())
    made.compose.set_random_seed(seed)
    inputs: dict[str, Any] = {"image": np.array(pixels, order="C")}
    if made.carries_points:
        known = np.flatnonzero(np.isfinite(points).all(axis=1))
        inputs |= {"keypoints": points[known], "indices": known}
    try:
        result = made.compose(**inputs)
    except Exception as error:
        raise OptionError(
            f"albumentations: {transform} can't be applied to a picture of shape {pixels.shape}: "
            f"{_in_short(error)}. Transforms that need more than a picture can't be used here"
        ) from error
    image = result["image"]
    if image.shape != pixels.shape or image.dtype != np.uint8:
        raise OptionError(
            f"albumentations: {transform} makes {image.dtype} {image.shape} of uint8 "
            f"{pixels.shape}; an augmentation must keep the size and the type of a picture"
        )
    if not made.carries_points:
        return image, points
    moved = np.full(points.shape, np.nan)
    if len(result["indices"]):
        moved[np.asarray(result["indices"], np.int64)] = result["keypoints"]
    return image, moved


@lru_cache(maxsize=64)
def _made(transform: str, parameters: str, thread: int) -> _Made:  # noqa: ARG001 - makes one for each thread: it has a state
    """Make a transform with probability 1, ready to get a seed."""
    library = albumentations_package()
    kinds = _classes()
    if transform not in kinds:
        raise UnknownNameError("albumentations transform", transform, kinds)
    kind = kinds[transform]
    if issubclass(kind, tuple(getattr(library, name) for name in _MIRRORING)):
        raise _mirrors(transform)
    known = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
    given = json.loads(parameters)
    for name in given:
        if name not in known:  # albumentations itself would warn and go on without
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
        return _Made(library.Compose([made]), carries_points=False)
    params = library.KeypointParams("xy", label_fields=["indices"], remove_invisible=False)
    return _Made(library.Compose([made], keypoint_params=params), carries_points=True)


@cache
def _classes() -> dict[str, Any]:
    """Return the transforms of albumentations by name, without their abstract bases."""
    library = albumentations_package()
    return {
        name: member
        for name, member in vars(library).items()
        if inspect.isclass(member)
        and issubclass(member, library.BasicTransform)
        and name not in _BASES
    }


@cache
def _try(transform: str, parameters: str) -> bool:
    picture, triangle = _trial()
    images = []
    for seed in _TRIAL_SEEDS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image, moved = apply_transform(
                transform, json.loads(parameters), seed, picture, triangle
            )
        if transform != "VerticalFlip" and _turn(moved) * _turn(triangle) < 0:
            raise _mirrors(transform)
        images.append(image)
    if all(np.array_equal(image, picture) for image in images):
        raise OptionError(
            f"albumentations: {transform} with {parameters} changes nothing on a picture alone"
        )
    return not all(np.array_equal(image, images[0]) for image in images)


def _mirrors(transform: str) -> OptionError:
    return OptionError(
        f"albumentations: {transform} mirrors left and right without exchanging the landmarks "
        "of both sides; use the operation horizontal_flip"
    )


def _trial() -> tuple[Pixels, Points]:
    """Return a picture with shading, edges and texture, and a small triangle in its middle."""
    y, x = np.mgrid[:_TRIAL_SIDE, :_TRIAL_SIDE]
    picture = np.stack([30 + x, 40 + y, 20 + (x + y) // 2], axis=-1)
    picture[30:60, 40:80] = (220, 150, 130)
    picture += ((7 * x + 13 * y + x * y) % 23 - 11)[..., None]
    middle = _TRIAL_SIDE // 2
    triangle = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]]) + middle - 3
    return picture.astype(np.uint8), triangle


def _turn(triangle: Points) -> float:
    """Return twice the signed area of a triangle."""
    (ax, ay), (bx, by) = triangle[1] - triangle[0], triangle[2] - triangle[0]
    return float(ax * by - ay * bx)


def _in_short(error: Exception) -> str:
    """Return an error's message on one line, without pydantic's asides."""
    text = re.sub(r"\[type=.*?\]|For further information visit \S+", "", str(error))
    return f"{type(error).__name__}: {' '.join(text.split())}"[:300].rstrip(" .")
