"""Reverse fusion: a feature and its negative, each activated, then combined.

| kind       | y                         | sign of z | parameters    |
|------------|---------------------------|-----------|---------------|
| `sum`      | SELU(z) + SELU(−z)        | lost      | none          |
| `weighted` | p·SELU(z) + q·SELU(−z)    | kept, p≠q | 2 per channel |
| `concat`   | [SELU(z), SELU(−z)]       | kept      | none          |
| `none`     | SELU(z)                   | kept      | none          |

Source: I-MobileNetV2, section "Reverse fusion methods", which mentions "inverse" and "summation"
without a formula. Plain z + (−z) would be 0, so the activation comes first; there are no
parameters, since Table 2 shows no increase. `concat` is CReLU's idea (Shang et al., ICML 2016).

`sum` is an even function: it does not distinguish z from −z, the opposite of its purpose in the
paper. It is the literal reading nevertheless.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from ferdata.core.errors import UnknownNameError

KINDS = ("sum", "weighted", "concat", "none")


class ReverseFusion(nn.Module):
    """One of the four fusions.

    Args:
        channels: Channels C of the input.
        kind: `sum`, `weighted` (which starts as `sum`), `concat` or `none`.

    Attributes:
        out_channels: Channels of the output: 2·C for `concat`, else C.
        starts_even: Whether the fusion initially does not distinguish z from −z.

    Raises:
        UnknownNameError: There is no such kind.
    """

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        if kind not in KINDS:
            raise UnknownNameError("rfm", kind, KINDS)
        self.kind = kind
        self.out_channels = 2 * channels if kind == "concat" else channels
        self.starts_even = kind in ("sum", "weighted")
        if kind == "weighted":
            self.forward_scale = nn.Parameter(torch.ones(channels))
            self.reverse_scale = nn.Parameter(torch.ones(channels))

    def forward(self, z: Tensor) -> Tensor:
        """Fuse features (B, C, H, W) into (B, `out_channels`, H, W)."""
        straight = F.selu(z)
        if self.kind == "none":
            return straight
        reverse = F.selu(-z)
        if self.kind == "concat":
            return torch.cat((straight, reverse), dim=1)
        if self.kind == "weighted":
            scales = self.forward_scale[:, None, None], self.reverse_scale[:, None, None]
            return scales[0] * straight + scales[1] * reverse
        return straight + reverse
