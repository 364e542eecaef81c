"""Augmentation of train images on the device, drawn anew for every image of every epoch.

The operations are those of `ferdata.augmentation`, with the same names and ranges; there they make
copies that are stored, here they cost no disk. Draws come from torch's generator, which is seeded
by run, epoch and process, so that a resumed run draws as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferdata.augmentation.operation_list import operations_from
from ferdata.augmentation.operations import (
    Brightness,
    Contrast,
    GaussianBlur,
    GaussianNoise,
    HorizontalFlip,
    Operation,
    VerticalFlip,
)
from ferdata.core.errors import OptionError
from ferdata.faces.schemes import scheme as scheme_named
from ferdata.models.inputs.affine import AFFINE, draw_matrices, move_points, signs, uniform, warp

_LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in luminance (ITU-R BT.601)."""

_FLIPS: dict[type[Operation], int] = {HorizontalFlip: -1, VerticalFlip: -2}
"""The axis that a flip reverses; it needs no resampling."""


class DeviceAugment(nn.Module):
    """Augment a batch: first where things are, in one resampling, then what they look like.

    Args:
        entries: Operations as in a recipe, for instance `[{"op": "horizontal_flip"}]`.
        scheme: Scheme of the landmarks, where there are any to be carried along.

    Raises:
        OptionError: An entry makes no sense, or its operation is not to be had on the device.
    """

    permutation: Tensor

    def __init__(self, entries: Sequence[Mapping[str, Any]], scheme: str | None = None) -> None:
        super().__init__()
        operations = operations_from(list(entries))
        for operation in operations:
            if type(operation) not in AFFINE and type(operation) not in _PHOTOMETRIC:
                known = sorted(kind.name for kind in (*AFFINE, *_PHOTOMETRIC))
                raise OptionError(
                    f"augment: {operation.name} can't be done during training; expected one of "
                    f"{', '.join(known)}. Copies of a build can have it: --operations."
                )
        self.geometric = [each for each in operations if type(each) in AFFINE]
        self.photometric = [each for each in operations if type(each) in _PHOTOMETRIC]
        mirrored = scheme_named(scheme).flip.tolist() if scheme else []
        permutation = torch.tensor(mirrored, dtype=torch.int64)
        self.register_buffer("permutation", permutation, persistent=False)

    def forward(
        self, images: Tensor, landmarks: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Augment images and the landmarks on them.

        Args:
            images: float32, shape (B, C, H, W), values in 0–255.
            landmarks: float32, shape (B, P, 2), pixels; NaN where unknown.

        Returns:
            Both in the same shapes; values of images stay in 0–255.
        """
        if self.geometric:
            images, landmarks = self._move(images, landmarks)
        for operation in self.photometric:
            chosen = _chosen(operation, images)
            images = _PHOTOMETRIC[type(operation)](operation, images, chosen).clamp(0, 255)
        return images.contiguous(memory_format=torch.channels_last), landmarks

    def _move(self, images: Tensor, landmarks: Tensor | None) -> tuple[Tensor, Tensor | None]:
        total = torch.eye(3, device=images.device).expand(len(images), 3, 3)
        warped = False
        for operation in self.geometric:
            chosen = _chosen(operation, images)[:, None, None]
            drawn = draw_matrices(operation, images)
            matrices = torch.where(chosen, drawn, torch.eye(3, device=images.device))
            if type(operation) in _FLIPS and not warped:
                turned = images.flip(_FLIPS[type(operation)])
                images = torch.where(chosen[..., None], turned, images)
                landmarks = self._carry(operation, landmarks, matrices, chosen, images)
                continue
            warped = True
            total = matrices @ total
            landmarks = self._carry(operation, landmarks, matrices, chosen, images)
        return (warp(images, total) if warped else images), landmarks

    def _carry(
        self,
        operation: Operation,
        landmarks: Tensor | None,
        matrices: Tensor,
        chosen: Tensor,
        images: Tensor,
    ) -> Tensor | None:
        if landmarks is None:
            return None
        height, width = images.shape[-2:]
        moved = move_points(landmarks, matrices, height, width)
        if operation.mirrors and len(self.permutation):
            moved = torch.where(chosen, moved[:, self.permutation], moved)
        return moved


def _chosen(operation: Operation, images: Tensor) -> Tensor:
    """Draw which images get an operation, bool, shape (B,)."""
    return torch.rand(len(images), device=images.device) < operation.probability


def _factor(operation: Any, images: Tensor, chosen: Tensor) -> Tensor:
    """Draw 1 ± change, and 1 for images that are left alone, shape (B, 1, 1, 1)."""
    number = len(images)
    change = uniform(images, number, operation.change) * signs(images, number)
    return (1 + change * chosen)[:, None, None, None]


def _brightness(operation: Any, images: Tensor, chosen: Tensor) -> Tensor:
    return images * _factor(operation, images, chosen)


def _contrast(operation: Any, images: Tensor, chosen: Tensor) -> Tensor:
    mean = images.mean(dim=(-2, -1), keepdim=True)
    if images.shape[1] == len(_LUMA):
        mean = sum((share * mean[:, k, None] for k, share in enumerate(_LUMA)), mean.new_zeros(()))
    return mean + (images - mean) * _factor(operation, images, chosen)


def _noise(operation: Any, images: Tensor, chosen: Tensor) -> Tensor:
    sigma = uniform(images, len(images), operation.sigma) * chosen
    return images + torch.randn_like(images) * sigma[:, None, None, None]


def _blur(operation: Any, images: Tensor, chosen: Tensor) -> Tensor:
    """Convolve each image with its own Gaussian, along the rows and then along the columns."""
    number, channels, height, width = images.shape
    sigma = uniform(images, number, operation.sigma)
    # the reflected border can't be wider than the image
    radius = min(int(3.5 * operation.sigma[1]), height - 1, width - 1)
    offsets = torch.arange(-radius, radius + 1, device=images.device)
    taps = torch.exp(-0.5 * (offsets / sigma[:, None]) ** 2)
    taps = torch.where(chosen[:, None], taps, (offsets == 0).float())
    taps = (taps / taps.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    planes = images.reshape(1, number * channels, height, width)
    for shape, border in (((1, -1), (radius, radius, 0, 0)), ((-1, 1), (0, 0, radius, radius))):
        kernel = taps.reshape(number * channels, 1, *shape)
        padded = functional.pad(planes, border, mode="reflect")
        planes = functional.conv2d(padded, kernel, groups=number * channels)
    return planes.reshape(images.shape)


_PHOTOMETRIC: dict[type[Operation], Callable[[Any, Tensor, Tensor], Tensor]] = {
    Brightness: _brightness,
    Contrast: _contrast,
    GaussianBlur: _blur,
    GaussianNoise: _noise,
}
"""How each kind changes the look of a batch; the last argument says which images get it."""
