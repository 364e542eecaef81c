"""Swish with a learnable slope.

    y = x·σ(b·x)

One scalar b per activation. It starts at 1, which is SiLU, so that pretrained weights stay valid.

Source: LMFER, equation 1; Ramachandran, Zoph and Le, "Searching for activation functions" (2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Swish(nn.Module):
    """x·σ(b·x) with one learnable b, for a tensor of any shape."""

    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation, same shape."""
        return x * torch.sigmoid(self.b * x)


def replace_silu(module: nn.Module) -> None:
    """Replace every SiLU below a module by a `Swish` of its own."""
    for name, child in module.named_children():
        if isinstance(child, nn.SiLU):
            setattr(module, name, Swish())
        else:
            replace_silu(child)
