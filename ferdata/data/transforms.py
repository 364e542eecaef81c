"""Transforms of single images, each called as its own library calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import get_worker_info

from ferdata.core.errors import OptionError
from ferdata.data.image_form import ImageForm

Transform = Callable[..., Any]

_FROM_PIL = {"ToTensor", "PILToTensor", "MaybeToTensor", "MaybePILToTensor", "ToNumpy"}
"""Steps of torchvision and timm that turn a PIL image into something else."""


def image_transform(transform: Transform, form: ImageForm) -> Callable[[torch.Tensor], Any]:
    """Return a function of a stored image that calls a transform with what it expects.

    - A transform of albumentations is called with `image=` an array (H, W, C), and its image is
      returned; as a tensor in the layout of `form` if it is still an array.
    - A pipeline with a step that turns PIL images into tensors, such as torchvision's `ToTensor`
      or what `timm.data.create_transform` makes, is called with a PIL image.
    - Anything else (torchvision v2, kornia, a function) is called with the image in `form`. A
      leading dimension of 1 that it adds, as kornia does, is removed.

    Args:
        transform: The transform.
        form: The form of images.

    Raises:
        OptionError: It can't be called.
    """
    if not callable(transform):
        raise OptionError(f"transform is {transform!r}; expected something to call with an image")
    if _is_of("albumentations", transform):
        return _Albumentations(transform, form)
    if any(type(step).__name__ in _FROM_PIL for step in _steps(transform)):
        return partial(_call, transform, ImageForm("pil"))
    return partial(_call, transform, form)


def _is_of(package: str, transform: Transform) -> bool:
    return any(kind.__module__.partition(".")[0] == package for kind in type(transform).__mro__)


def _steps(transform: Transform) -> Iterator[Any]:
    """Yield a transform and the steps that it is composed of."""
    yield transform
    steps = getattr(transform, "transforms", ())
    for step in steps if isinstance(steps, list | tuple) else ():
        yield from _steps(step)


class _Albumentations:
    """Calls a transform of albumentations, which draws anew in each worker process.

    Workers inherit the state of its random numbers, so that all of them, and those of the next
    epoch, would draw the same (albumentations 2.0.8); each worker's seed of torch is used instead.
    """

    def __init__(self, transform: Transform, form: ImageForm) -> None:
        self._transform = transform
        self._form = form
        self._seed: int | None = None

    def __call__(self, image: torch.Tensor) -> Any:
        worker = get_worker_info()
        if worker is not None and worker.seed != self._seed:
            self._seed = worker.seed
            self._transform.set_random_seed(worker.seed % 2**32)  # type: ignore[attr-defined]
        stored = ImageForm("hwc", self._form.dtype).tensor(image)
        result = self._transform(image=stored.numpy())["image"]
        if not isinstance(result, np.ndarray):
            return result  # of ToTensorV2
        tensor = torch.from_numpy(np.ascontiguousarray(result))
        return tensor.movedim(-1, -3).contiguous() if self._form.layout == "chw" else tensor


def _call(transform: Transform, form: ImageForm, image: torch.Tensor) -> Any:
    result = transform(form.image(image))
    lone = isinstance(result, torch.Tensor) and result.ndim == 4 and len(result) == 1
    return result[0] if lone else result
