"""Shuffle attention: gates on groups of channels, then a shuffle of the channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ferdata.core.errors import OptionError


class ShuffleAttention(nn.Module):
    """Shuffle attention of SA-Net (Zhang and Yang, ICASSP 2021, section 3).

    The channels are split into `groups`, each group into two halves. One half is scaled by
    σ(w₁ · mean(x) + b₁), the other by σ(w₂ · norm(x) + b₂), where the mean is over space, the norm
    over space for each channel, and all weights are per channel and shared by the groups. Then
    the two halves of all channels are interleaved.

    It has no convolution and 6 · channels / (2 · groups) parameters: 36 for 768 channels in 64
    groups. Initially w₁ = w₂ = 0 and b₁ = b₂ = 1, so that it multiplies by σ(1) = 0.731 and
    permutes the channels: layers after it can't use weights that were trained without it.

    Args:
        channels: Channels C of input and output.
        groups: Groups of channels; 64 in the authors' code.

    Raises:
        OptionError: `channels` is not a multiple of 2 · `groups`.
    """

    def __init__(self, channels: int, groups: int = 64) -> None:
        super().__init__()
        if groups < 1 or channels % (2 * groups):
            fitting = [g for g in range(1, channels // 2 + 1) if channels % (2 * g) == 0]
            raise OptionError(
                f"groups: {channels} channels can't be cut into {groups} groups of two halves; "
                f"expected one of {', '.join(map(str, fitting))}."
            )
        self.groups = groups
        half = channels // (2 * groups)
        self.channel_weight = nn.Parameter(torch.zeros(1, half, 1, 1))
        self.channel_bias = nn.Parameter(torch.ones(1, half, 1, 1))
        self.spatial_weight = nn.Parameter(torch.zeros(1, half, 1, 1))
        self.spatial_bias = nn.Parameter(torch.ones(1, half, 1, 1))
        self.norm = nn.GroupNorm(half, half)

    def forward(self, x: Tensor) -> Tensor:
        """Gate and shuffle (B, C, H, W)."""
        batch, channels, height, width = x.shape
        grouped = x.reshape(batch * self.groups, channels // self.groups, height, width)
        by_channel, by_place = grouped.chunk(2, dim=1)
        mean = by_channel.mean((2, 3), keepdim=True)
        by_channel = by_channel * torch.sigmoid(self.channel_weight * mean + self.channel_bias)
        gate = self.spatial_weight * self.norm(by_place) + self.spatial_bias
        by_place = by_place * torch.sigmoid(gate)
        gated = torch.cat([by_channel, by_place], dim=1)
        halves = gated.reshape(batch, 2, channels // 2, height, width)
        return halves.transpose(1, 2).reshape(batch, channels, height, width)
