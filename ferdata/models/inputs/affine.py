"""Random affine maps of a batch of images, drawn and applied on the device.

A map is a float32 matrix of shape (3, 3) for each image, from the image to the result, in pixels
from the image's center, x to the right and y down.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ferdata.augmentation.operations import (
    Crop,
    HorizontalFlip,
    Operation,
    Rotation,
    Scale,
    Translation,
    VerticalFlip,
)


def uniform(like: Tensor, number: int, bounds: tuple[float, float]) -> Tensor:
    """Draw numbers between two bounds, float32, shape (number,), on the device of `like`."""
    low, high = bounds
    return low + (high - low) * torch.rand(number, device=like.device)


def signs(like: Tensor, number: int) -> Tensor:
    """Draw −1 or 1, shape (number,)."""
    return torch.randint(0, 2, (number,), device=like.device).float() * 2 - 1


def draw_matrices(operation: Operation, images: Tensor) -> Tensor:
    """Draw a map for each image of a batch, whether or not it gets the operation.

    Args:
        operation: One of the kinds in `AFFINE`.
        images: Shape (B, C, H, W).

    Returns:
        float32, shape (B, 3, 3).
    """
    return AFFINE[type(operation)](operation, images)


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Render images through maps: bilinear, beyond the edge of an image its edge is repeated.

    Args:
        images: float32, shape (B, C, H, W).
        matrices: Shape (B, 3, 3).
    """
    height, width = images.shape[-2:]
    # grid_sample asks where each output pixel comes from, in halves of the image's sides; the
    # inverse is written out, since a GPU waits for the check of `torch.linalg.inv`
    a, b, x = matrices[:, 0].unbind(1)
    c, d, y = matrices[:, 1].unbind(1)
    determinant = a * d - b * c
    a, b, c, d = d / determinant, -b / determinant, -c / determinant, a / determinant
    inverse = torch.stack(
        [
            torch.stack([a, b * (height / width), -(a * x + b * y) * (2 / width)], dim=1),
            torch.stack([c * (width / height), d, -(c * x + d * y) * (2 / height)], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(inverse, list(images.shape), align_corners=False)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


def move_points(points: Tensor, matrices: Tensor, height: int, width: int) -> Tensor:
    """Carry points (B, P, 2) in pixels through the maps of their images."""
    x, y = points[..., 0] - (width - 1) / 2, points[..., 1] - (height - 1) / 2
    rows = matrices[:, :, :, None]
    moved = [rows[:, k, 0] * x + rows[:, k, 1] * y + rows[:, k, 2] for k in (0, 1)]
    return torch.stack([moved[0] + (width - 1) / 2, moved[1] + (height - 1) / 2], dim=-1)


def _diagonal(x: Tensor, y: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def _mirror(operation: Operation, images: Tensor) -> Tensor:
    plus = torch.ones(len(images), device=images.device)
    across = isinstance(operation, HorizontalFlip)
    return _diagonal(-plus, plus) if across else _diagonal(plus, -plus)


def _rotation(operation: Any, images: Tensor) -> Tensor:
    number = len(images)
    angle = uniform(images, number, operation.degrees) * (math.pi / 180)
    if operation.both_ways:
        angle = angle * signs(images, number)
    matrices = _diagonal(angle.cos(), angle.cos())
    matrices[:, 0, 1], matrices[:, 1, 0] = angle.sin(), -angle.sin()
    return matrices


def _scale(operation: Any, images: Tensor) -> Tensor:
    factor = uniform(images, len(images), operation.factor)
    return _diagonal(factor, factor)


def _translation(operation: Any, images: Tensor) -> Tensor:
    number = len(images)
    matrices = torch.eye(3, device=images.device).repeat(number, 1, 1)
    for axis, side in ((0, images.shape[-1]), (1, images.shape[-2])):
        shift = uniform(images, number, operation.share) * side
        matrices[:, axis, 2] = shift * signs(images, number) if operation.both_ways else shift
    return matrices


def _crop(operation: Any, images: Tensor) -> Tensor:
    number = len(images)
    left, top, right, bottom = (uniform(images, number, operation.share) for _ in range(4))
    x, y = 1 / (1 - left - right), 1 / (1 - top - bottom)
    matrices = _diagonal(x, y)
    # the middle of what is left becomes the middle of the image
    matrices[:, 0, 2] = (right - left) / 2 * images.shape[-1] * x
    matrices[:, 1, 2] = (bottom - top) / 2 * images.shape[-2] * y
    return matrices


AFFINE: dict[type[Operation], Callable[[Operation, Tensor], Tensor]] = {
    HorizontalFlip: _mirror,
    VerticalFlip: _mirror,
    Rotation: _rotation,
    Scale: _scale,
    Translation: _translation,
    Crop: _crop,
}
"""How a map is drawn for each kind that has one."""
