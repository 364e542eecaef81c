"""Efficient attention: a local and a global branch, joined by a 1×1 convolution."""

from __future__ import annotations

import torch
from timm.layers import SqueezeExcite
from torch import Tensor, nn
from torch.nn import functional

from ferdata.core.errors import OptionError


class EfficientAttention(nn.Module):
    """Efficient attention of CloFormer (Fan et al., arXiv 2303.17803, section 3).

    CTAN mentions its name, its "high-frequency" and "low-frequency" branches and its Swish, but
    neither a citation nor sizes. Some heads are local (`LocalBranch`), the others global
    (`GlobalBranch`); a 1×1 convolution joins their C channels. 2,688,000 parameters with the
    defaults and 768 channels. The output is not added to the input.

    Args:
        channels: Channels C of input and output.
        heads: Total number of heads of both branches.
        local_heads: Heads of the local branch.
        kernel: Side of the local branch's depthwise kernel, odd.
        window: Side of the windows that the global branch averages keys and values over.

    Raises:
        OptionError: Heads, kernel or window are out of range.
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int = 8,
        local_heads: int = 4,
        kernel: int = 5,
        window: int = 7,
    ) -> None:
        super().__init__()
        if heads < 2 or channels % heads:
            fitting = [str(n) for n in range(2, channels + 1) if channels % n == 0]
            raise OptionError(
                f"heads: {heads} heads don't divide {channels} channels in two branches; "
                f"expected one of {', '.join(fitting)}."
            )
        if not 0 < local_heads < heads:
            raise OptionError(
                f"local_heads: both branches need a head; expected 1–{heads - 1}, "
                f"got {local_heads}."
            )
        _require_odd(kernel)
        if window < 1:
            raise OptionError(f"window: expected a side of at least 1, got {window}.")
        head_width = channels // heads
        self.local = LocalBranch(channels, local_heads, head_width, kernel)
        self.distant = GlobalBranch(channels, heads - local_heads, head_width, window)
        self.join = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) for the same."""
        joined: Tensor = self.join(torch.cat([self.local(x), self.distant(x)], dim=1))
        return joined


class LocalBranch(nn.Module):
    """The high-frequency branch: values weighted by queries and keys at the same place.

    tanh(A(q ⊙ k) / √d) ⊙ v, where q, k, v are a 1×1 and a depthwise convolution of the input and
    A is 1×1 convolution, Swish, 1×1 convolution.

    Args:
        channels: Channels C of the input.
        heads: Number of heads m.
        head_width: Channels d of one head.
        kernel: Side of the depthwise kernel.
    """

    def __init__(self, channels: int, heads: int, head_width: int, kernel: int) -> None:
        super().__init__()
        width = heads * head_width
        self.scale = head_width**-0.5
        self.qkv = nn.Conv2d(channels, 3 * width, 1)
        self.mix = nn.Conv2d(3 * width, 3 * width, kernel, padding=kernel // 2, groups=3 * width)
        self.weigh = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, m · d, H, W) for (B, C, H, W)."""
        query, key, value = self.mix(self.qkv(x)).chunk(3, dim=1)
        weighted: Tensor = torch.tanh(self.weigh(query * key) * self.scale) * value
        return weighted


class GlobalBranch(nn.Module):
    """The low-frequency branch: attention of every place to the means of windows.

    The windows are even: a map of H rows has ceil(H / window) of them, each with
    ceil(H / windows) rows except the last, which has the rest. A map smaller than the window is one
    window, so that a map may have any size.

    With one window, as with window 7 on the 7×7 map of a 224 px image, the softmax over it is 1:
    the output is V(mean of the map) at every place, which is CTAN's equation 1, and query and
    key have no gradient. Window 1 attends to every place.

    Args:
        channels: Channels C of the input.
        heads: Number of heads m.
        head_width: Channels d of one head.
        window: Largest side of a window.
    """

    def __init__(self, channels: int, heads: int, head_width: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = head_width
        self.window = window
        self.query = nn.Conv2d(channels, heads * head_width, 1)
        self.key_value = nn.Conv2d(channels, 2 * heads * head_width, 1)

    def pool(self, x: Tensor) -> Tensor:
        """Return the means of the windows, (B, C, h, w)."""
        height, width = (int(side) for side in x.shape[2:])  # plain numbers, also when traced
        kernel = _even_side(height, self.window), _even_side(width, self.window)
        # not adaptive pooling, whose gradient is not deterministic on a GPU
        return functional.avg_pool2d(x, kernel, ceil_mode=True, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, m · d, H, W) for (B, C, H, W)."""
        batch, _, height, width = x.shape
        query = self.query(x).reshape(batch, self.heads, self.head_width, height * width)
        pooled = self.key_value(self.pool(x)).flatten(2)
        key, value = pooled.reshape(batch, 2, self.heads, self.head_width, -1).unbind(1)
        scores = query.transpose(2, 3) @ key * self.head_width**-0.5
        attended: Tensor = value @ scores.softmax(dim=-1).transpose(2, 3)
        return attended.reshape(batch, self.heads * self.head_width, height, width)


class LiteralEfficientAttention(nn.Module):
    """Efficient attention as in CTAN's text (section III.C, equations 1 and 2).

    The global branch is the input times weights from its mean over space: a
    squeeze-and-excitation gate of ratio 16, which the text does not specify. The local branch is
    Swish(depthwise convolution); the text mentions several, but with nothing between them they
    are equivalent to one. A 1×1 convolution from 2C channels to C joins both.

    Args:
        channels: Channels C of input and output.
        kernel: Side of the depthwise kernel, odd.

    Raises:
        OptionError: `kernel` is even.
    """

    def __init__(self, channels: int, *, kernel: int = 5) -> None:
        super().__init__()
        _require_odd(kernel)
        self.distant = SqueezeExcite(channels, rd_ratio=1 / 16)
        self.local = nn.Sequential(
            nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels), nn.SiLU()
        )
        self.join = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) for the same."""
        joined: Tensor = self.join(torch.cat([self.distant(x), self.local(x)], dim=1))
        return joined


def _even_side(length: int, largest: int) -> int:
    """Return the side of windows of about equal size, none larger than `largest`."""
    windows = -(-length // largest)
    return -(-length // windows)


def _require_odd(kernel: int) -> None:
    if kernel < 1 or kernel % 2 == 0:
        raise OptionError(f"kernel: expected an odd side such as 3, 5 or 7, got {kernel}.")
