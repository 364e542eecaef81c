"""Affine maps of a batch of images, drawn and applied on the device.

A map is a float32 matrix of shape (3, 3) for each image, from the image to the result, in pixels
from the image's center, x to the right and y down.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from ferdata.augmentation.operations import Affine


def draw_uniform(images: Tensor, bounds: tuple[float, float], *, both_ways: bool = False) -> Tensor:
    """Draw a number between two bounds for each image, float32, shape (B,).

    Args:
        images: Shape (B, …), on the device to draw on.
        bounds: The bounds.
        both_ways: Give each number a random sign.
    """
    (low, high), number, device = bounds, len(images), images.device
    drawn = low + (high - low) * torch.rand(number, device=device)
    if both_ways:
        drawn = drawn * (torch.randint(0, 2, (number,), device=device).float() * 2 - 1)
    return drawn


def draw_matrices(operation: Affine, images: Tensor) -> Tensor:
    """Draw a map for each image of a batch, whether or not it gets the operation.

    Args:
        operation: The operation.
        images: Shape (B, C, H, W).

    Returns:
        float32, shape (B, 3, 3).
    """
    height, width = images.shape[-2:]
    values = operation.draw_batch(partial(draw_uniform, images))
    matrices = torch.eye(3, device=images.device).repeat(len(images), 1, 1)
    for row, entries in enumerate(operation.map_about_center(values, width, height)):
        for column, entry in enumerate(entries):
            matrices[:, row, column] = entry
    return matrices


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Render images through maps: bilinear, with the edge of an image repeated beyond it.

    Args:
        images: float32, shape (B, C, H, W).
        matrices: Shape (B, 3, 3).
    """
    height, width = images.shape[-2:]
    # grid_sample wants to know where each output pixel comes from, in halves of the sides of the
    # image; the inverse is written out, since a GPU waits for the check of `torch.linalg.inv`
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
    """Move points (B, P, 2), in pixels, through the maps of their images."""
    x, y = points[..., 0] - (width - 1) / 2, points[..., 1] - (height - 1) / 2
    rows = matrices[:, :, :, None]
    moved = [rows[:, k, 0] * x + rows[:, k, 1] * y + rows[:, k, 2] for k in (0, 1)]
    return torch.stack([moved[0] + (width - 1) / 2, moved[1] + (height - 1) / 2], dim=-1)
