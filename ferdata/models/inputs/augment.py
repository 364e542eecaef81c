"""Augmentation of train images on the device, drawn anew for every image of every epoch.

The operations are those of `ferdata.augmentation`, with the same names, options and maps. There
they make copies that are stored; here they need no disk space. Values are drawn from the generator
of torch, which is seeded by run, epoch and process, so that a resumed run draws the same ones as an
uninterrupted run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ferdata.augmentation.operation_config import load_operations
from ferdata.augmentation.operations import KINDS, Affine, Operation, Photometric
from ferdata.core.errors import OptionError
from ferdata.faces.schemes import scheme as scheme_named
from ferdata.models.inputs.affine import draw_matrices, draw_uniform, move_points, warp


class DeviceAugment(nn.Module):
    """Augment a batch: first its geometry, in one resampling, then its values.

    Args:
        entries: Operations as in a recipe, for instance `[{"op": "horizontal_flip"}]`.
        scheme: Scheme of the landmarks, if there are any.

    Raises:
        OptionError: An entry is not valid, or its operation can't run on the device.
    """

    permutation: Tensor

    def __init__(self, entries: Sequence[Mapping[str, Any]], scheme: str | None = None) -> None:
        super().__init__()
        operations = load_operations(list(entries))
        for operation in operations:
            if not isinstance(operation, Affine | Photometric):
                known = [
                    each for each in KINDS if issubclass(KINDS.get(each), Affine | Photometric)
                ]
                raise OptionError(
                    f"augment: {operation.name} can't run during training; expected one of "
                    f"{', '.join(known)}. It can make the copies of a build: --operations."
                )
        self.geometric = [each for each in operations if isinstance(each, Affine)]
        self.photometric = [each for each in operations if isinstance(each, Photometric)]
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
            chosen = _draw_chosen(operation, images)
            strength = operation.draw_batch(partial(draw_uniform, images)) * chosen
            images = operation.render_batch(images, strength[:, None, None, None]).clamp(0, 255)
        return images.contiguous(memory_format=torch.channels_last), landmarks

    def _move(self, images: Tensor, landmarks: Tensor | None) -> tuple[Tensor, Tensor | None]:
        height, width = images.shape[-2:]
        identity = torch.eye(3, device=images.device)
        total = identity.expand(len(images), 3, 3)
        warped = False
        for operation in self.geometric:
            chosen = _draw_chosen(operation, images)[:, None, None]
            matrices = torch.where(chosen, draw_matrices(operation, images), identity)
            if operation.reversed_axis is not None and not warped:
                images = torch.where(
                    chosen[..., None], images.flip(operation.reversed_axis), images
                )
            else:
                warped = True
                total = matrices @ total
            if landmarks is not None:
                landmarks = move_points(landmarks, matrices, height, width)
                if operation.mirrors and len(self.permutation):
                    landmarks = torch.where(chosen, landmarks[:, self.permutation], landmarks)
        return (warp(images, total) if warped else images), landmarks


def _draw_chosen(operation: Operation, images: Tensor) -> Tensor:
    """Draw which images get an operation, bool, shape (B,)."""
    return torch.rand(len(images), device=images.device) < operation.probability
