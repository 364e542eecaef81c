"""Receptive field block: three branches of increasing dilation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class BasicRFB(nn.Module):
    """Basic receptive field block of RFBNet (Liu, Huang and Wang, ECCV 2018, figure 4a).

    Three branches reduce the channels to about an eighth (I), have none, one and two 3×3
    convolutions, and end in one of dilation 1, 2 and 3: their receptive fields are 3, 7 and 11
    wide. Their 6 · I channels are joined by a 1×1 convolution, scaled and added to a shortcut.
    Widths, scale, dilations and batch-norm momentum are those of the authors' code. The shortcut is
    a 1×1 convolution too, so that the block can't start as the identity.

    Args:
        channels: Channels C of input and output; 45,468 parameters for 96.
        scale: Weight of the branches relative to the shortcut.
    """

    def __init__(self, channels: int, scale: float = 0.1) -> None:
        super().__init__()
        inner = channels // 8
        self.scale = scale
        self.branch1 = nn.Sequential(
            *_conv(channels, 2 * inner, 1),
            *_conv(2 * inner, 2 * inner, 3, relu=False),
        )
        self.branch2 = nn.Sequential(
            *_conv(channels, inner, 1),
            *_conv(inner, 2 * inner, 3),
            *_conv(2 * inner, 2 * inner, 3, dilation=2, relu=False),
        )
        self.branch3 = nn.Sequential(
            *_conv(channels, inner, 1),
            *_conv(inner, inner // 2 * 3, 3),
            *_conv(inner // 2 * 3, 2 * inner, 3),
            *_conv(2 * inner, 2 * inner, 3, dilation=3, relu=False),
        )
        self.join = nn.Sequential(*_conv(6 * inner, channels, 1, relu=False))
        self.shortcut = nn.Sequential(*_conv(channels, channels, 1, relu=False))

    def forward(self, x: Tensor) -> Tensor:
        """Return ReLU(shortcut + scale · branches), shape (B, C, H, W) like the input."""
        branches = torch.cat([self.branch1(x), self.branch2(x), self.branch3(x)], dim=1)
        return functional.relu(self.shortcut(x) + self.scale * self.join(branches))


def _conv(
    channels: int, out: int, kernel: int, *, dilation: int = 1, relu: bool = True
) -> list[nn.Module]:
    """Return a convolution that keeps the size, its batch norm, and optionally a ReLU."""
    padding = dilation * (kernel // 2)
    layers: list[nn.Module] = [
        nn.Conv2d(channels, out, kernel, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(out, momentum=0.01),
    ]
    return [*layers, nn.ReLU(inplace=True)] if relu else layers
