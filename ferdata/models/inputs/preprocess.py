"""From stored uint8 images to the model's float input, on the device.

Training, evaluation and export share this module, so that every image is prepared as the train
images were.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Preprocess(nn.Module):
    """Turn uint8 (B, H, W, C) into float32 (B, C, height, width): `(x / 255 − mean) / std`.

    The result keeps the memory order of its input (`torch.channels_last`), so no copy is made
    to change the order of the axes.

    Args:
        mean: Mean per channel, for values in 0–1.
        std: Standard deviation per channel, for values in 0–1.
        size: `(height, width)` of the model's input; other sizes are resized (bilinear,
            antialiased).
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        # (x / 255 − mean) / std as one multiplication and one addition per value
        scale = 1.0 / (255.0 * torch.tensor(std, dtype=torch.float64))
        shift = -torch.tensor(mean, dtype=torch.float64) / torch.tensor(std, dtype=torch.float64)
        self.register_buffer("scale", scale.float().view(1, -1, 1, 1), persistent=False)
        self.register_buffer("shift", shift.float().view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Prepare one batch.

        Args:
            images: uint8, shape (B, H, W, C), values 0–255.

        Raises:
            TypeError: The images are not uint8, so that they may have been scaled before.
        """
        return self.normalize(self.resize(images))

    def resize(self, images: Tensor) -> Tensor:
        """Return uint8 (B, H, W, C) as float32 (B, C, height, width), still in 0–255.

        Raises:
            TypeError: The images are not uint8, so that they may have been scaled before.
        """
        if images.dtype != torch.uint8:
            raise TypeError(f"images must be uint8 (B, H, W, C); got {images.dtype}")
        floats = images.permute(0, 3, 1, 2).float()
        if tuple(floats.shape[-2:]) != self.size:
            floats = functional.interpolate(
                floats, self.size, mode="bilinear", align_corners=False, antialias=True
            )
        return floats

    def normalize(self, images: Tensor) -> Tensor:
        """Normalize float32 (B, C, height, width) with values in 0–255."""
        return images * self.scale + self.shift

    def move_points(self, points: Tensor, height: int, width: int) -> Tensor:
        """Scale points (B, P, 2), in pixels of images of a size, to the model's input size."""
        x = (points[..., 0] + 0.5) * (self.size[1] / width) - 0.5
        y = (points[..., 1] + 0.5) * (self.size[0] / height) - 0.5
        return torch.stack([x, y], dim=-1)
