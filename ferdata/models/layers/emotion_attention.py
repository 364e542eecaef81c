"""Emotion attention: K maps that sum to 1 at every pixel.

    A = softmax over k of subnet(x)          (B, K, H, W)
    y = conv1×1(concat over k of A_k ⊙ x)    K·C channels to C

Source: LMFER, section III.C, which gives neither K nor the subnet's layers; here 1×1 to a quarter
of the channels, norm, Swish, then 3×3 to K. K ≥ 2, since softmax over one map is constant.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from ferdata.core.errors import OptionError
from ferdata.models.layers.swish import Swish


class EmotionAttention(nn.Module):
    """A mixture of K 1×1 convolutions, weighted at each pixel; the identity at the start.

    The fusion starts as K identities side by side. Since the maps sum to 1, the module then returns
    its input, and pretrained features pass unchanged. The subnet gets a gradient from the second
    step on, when the fusion treats the maps differently, which its random weights ensure.

    Args:
        channels: Channels C of the input.
        maps: Number K of maps.
        prior_channels: Number of heat maps that the subnet gets beside the input; 0 for none.

    Raises:
        OptionError: `maps` is smaller than 2.
    """

    def __init__(self, channels: int, maps: int, prior_channels: int = 0) -> None:
        super().__init__()
        if maps < 2:
            raise OptionError(f"maps={maps}: softmax over one map is constant; use 2 or more")
        hidden = max(8, channels // 4)
        self.prior_channels = prior_channels
        self.subnet = nn.Sequential(
            nn.Conv2d(channels + prior_channels, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            Swish(),
            nn.Conv2d(hidden, maps, 3, padding=1),
        )
        self.fuse = nn.Conv2d(maps * channels, channels, 1)
        with torch.no_grad():
            self.fuse.weight.copy_(torch.eye(channels).repeat(1, maps)[:, :, None, None])
            self.fuse.bias.zero_()  # type: ignore[union-attr] # it has a bias

    def maps(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """Return the maps, shape (B, K, H, W), which sum to 1 over K.

        Args:
            x: Shape (B, C, H, W).
            prior: Shape (B, `prior_channels`, h, w), resized to H×W; None is all zeros.
        """
        if self.prior_channels:
            x = torch.cat((x, self._prior_like(x, prior)), dim=1)
        logits: Tensor = self.subnet(x)
        return logits.softmax(dim=1)

    def forward(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """Return the fused features, shape (B, C, H, W) as the input."""
        maps = self.maps(x, prior).to(x.dtype)  # autocast computes softmax in float32
        weighted = maps.unsqueeze(2) * x.unsqueeze(1)
        fused: Tensor = self.fuse(weighted.flatten(1, 2))
        return fused

    def _prior_like(self, x: Tensor, prior: Tensor | None) -> Tensor:
        if prior is None:
            return x.new_zeros(x.shape[0], self.prior_channels, *x.shape[2:])
        resized = F.interpolate(prior, size=x.shape[2:], mode="bilinear", align_corners=False)
        return resized.to(x.dtype)
