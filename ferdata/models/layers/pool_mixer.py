"""Pooling as the token mixer of a MobileViT block.

    mixer(x) = mean of the 3×3 neighbors that lie on the map, x among them, − x

Source: Yu et al., "MetaFormer is actually what you need for vision" (CVPR 2022), equation 4; in
MobileViT's place of self-attention: LMFER, section III.B. A MobileViT block (Mehta and Rastegari,
ICLR 2022, section 3.1) attends over pixels at the same position in their 2×2 patches, so that a
neighbor here is two pixels away.

The mixer maps a constant to zero, so that the bias of the norm before it gets no gradient. The bias
is kept, as in PoolFormer, so that pretrained weights fit.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name


class PoolMixer(nn.Module):
    """Mean of the 3×3 neighborhood minus the token itself, on a grid of tokens."""

    def forward(self, x: Tensor, *_: object, **__: object) -> Tensor:
        """Mix tokens, shape (B, h, w, d), with their neighbors.

        Other arguments of timm's transformer layer (masks) are ignored.
        """
        grid = x.permute(0, 3, 1, 2)
        mean = F.avg_pool2d(grid, 3, stride=1, padding=1, count_include_pad=False)
        return (mean - grid).permute(0, 2, 3, 1)


class PooledMobileVitBlock(nn.Module):
    """A MobileViT block of timm whose layers mix tokens by pooling.

    timm's block passes a list of tokens to its layers; here they are the grid that pooling needs.
    Parameters keep their names, and all except those of attention their values.

    Args:
        block: timm's `MobileVitBlock`; its modules are shared, not copied.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.patch_size: tuple[int, int] = block.patch_size  # type: ignore[assignment]
        self.conv_kxk = block.get_submodule("conv_kxk")
        self.conv_1x1 = block.get_submodule("conv_1x1")
        self.transformer = block.get_submodule("transformer")
        self.norm = block.get_submodule("norm")
        self.conv_proj = block.get_submodule("conv_proj")
        self.conv_fusion = block.get_submodule("conv_fusion")
        for layer in self.transformer.children():
            layer.attn = PoolMixer()

    def forward(self, x: Tensor) -> Tensor:
        """Return features, (B, C, H, W); sides that patches do not divide are stretched."""
        local = self.conv_1x1(self.conv_kxk(x))
        height, width = local.shape[2:]
        high, wide = (
            math.ceil(side / patch) * patch
            for side, patch in zip((height, width), self.patch_size, strict=True)
        )
        stretched = (high, wide) != (height, width)
        if stretched:
            local = F.interpolate(local, (high, wide), mode="bilinear", align_corners=False)
        mixed = self._fold(self.norm(self.transformer(self._unfold(local))), high, wide)
        if stretched:
            mixed = F.interpolate(mixed, (height, width), mode="bilinear", align_corners=False)
        fused: Tensor = self.conv_fusion(torch.cat((x, self.conv_proj(mixed)), dim=1))
        return fused

    def _unfold(self, x: Tensor) -> Tensor:
        """Turn (B, d, H, W) into a grid of tokens per place in a patch, (B·p·p, H/p, W/p, d)."""
        batch, depth, height, width = x.shape
        high, wide = self.patch_size
        x = x.reshape(batch, depth, height // high, high, width // wide, wide)
        return x.permute(0, 3, 5, 2, 4, 1).flatten(0, 2)

    def _fold(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """Undo `_unfold`."""
        high, wide = self.patch_size
        grid = tokens.reshape(-1, high, wide, *tokens.shape[1:])
        return grid.permute(0, 5, 3, 1, 4, 2).reshape(-1, tokens.shape[-1], height, width)
