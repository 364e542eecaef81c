"""Coordinate attention with a channel branch ("CA+").

Coordinate attention: from the means of all rows and columns, squeezed together, come a gate a_h for
each row and a_w for each column.

    y(c, i, j) = x(c, i, j) · a_h(c, i) · a_w(c, j) · M(c)

M is the channel gate of CBAM.

Sources: Hou, Zhou and Feng, "Coordinate attention for efficient mobile network design" (CVPR 2021),
equations 4–8; Woo et al., "CBAM" (ECCV 2018), equation 2; their combination: LMFER, section III.C,
which does not say how. Its conclusion mentions a branch, so both get the same x; with
`order="sequential"` the channel gate gets the output of the coordinate gates.
"""

from __future__ import annotations

import torch
from timm.layers.cbam import ChannelAttn
from torch import Tensor, nn

from ferdata.core.errors import UnknownNameError

ORDERS = ("parallel", "sequential")


class CoordinateAttention(nn.Module):
    """Gates for rows and columns; the squeeze has a bias, as in the authors' code.

    Args:
        channels: Channels C of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(8, channels // 32)  # reduction of 32, as in the authors' code
        self.squeeze = nn.Conv2d(channels, hidden, 1)
        self.norm = nn.BatchNorm2d(hidden)
        self.act = nn.Hardswish()
        self.rows = nn.Conv2d(hidden, channels, 1)
        self.columns = nn.Conv2d(hidden, channels, 1)

    def gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return a_h, shape (B, C, H, 1), and a_w, shape (B, C, 1, W)."""
        height, width = x.shape[2:]
        means = torch.cat((x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)), dim=2)
        squeezed = self.act(self.norm(self.squeeze(means)))
        by_row, by_column = squeezed.split([height, width], dim=2)
        return self.rows(by_row).sigmoid(), self.columns(by_column.transpose(2, 3)).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated features, shape (B, C, H, W) as the input."""
        by_row, by_column = self.gates(x)
        return x * by_row * by_column


class CoordinateChannelAttention(nn.Module):
    """Coordinate attention and CBAM's channel gate on one feature map.

    Args:
        channels: Channels C of the input.
        order: `parallel`: both gates are computed from the input; `sequential`: the channel gate
            from the output of coordinate attention.

    Raises:
        UnknownNameError: There is no such order.
    """

    def __init__(self, channels: int, order: str = "parallel") -> None:
        super().__init__()
        if order not in ORDERS:
            raise UnknownNameError("order", order, ORDERS)
        self.order = order
        self.coordinate = CoordinateAttention(channels)
        # CBAM's reduction of 16 would leave two or three hidden units at 32 or 48 channels.
        self.channel = ChannelAttn(channels, rd_channels=max(4, channels // 16))

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated features, shape (B, C, H, W) as the input."""
        by_row, by_column = self.coordinate.gates(x)
        gated: Tensor
        if self.order == "sequential":
            gated = self.channel(x * by_row * by_column)
        else:
            gated = self.channel(x) * by_row * by_column
        return gated
