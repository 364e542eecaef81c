"""CTAN: ConvNeXt-Tiny with efficient and shuffle attention.

Zhou and Wang, "Research on Face Expression Recognition Model Based on Improved CTAN" (2025).
Layers: Table I.

Choices where the paper is unclear:

- ConvBlock 1–3 list the channels after the next downsampling; they are ConvNeXt's stages.
- "EMA 768→768" is not a layer but an average of the weights, which training maintains.
- Basic RFB is listed in Table I and mentioned nowhere else; it is off by default (`rfb`).
- Sizes of efficient attention are not given: CloFormer's module with 8 heads, 4 of them local,
  kernel 5 and window 7 (`variant="cloformer"`), or the equations (`variant="literal"`).
- No residual connection around it is mentioned; without one (`residual=False`), the pretrained
  features pass through a random layer.
- Shuffle attention has a softmax in equation 3 and a sigmoid in figure 4; here a sigmoid, as in
  SA-Net.
- Pooling before the last LayerNorm is not listed; it is here, as in ConvNeXt.
"""

from __future__ import annotations

from typing import Literal, get_args

import timm
from torch import Tensor, nn

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.layers.basic_rfb import BasicRFB
from ferdata.models.layers.efficient_attention import (
    EfficientAttention,
    LiteralEfficientAttention,
)
from ferdata.models.layers.shuffle_attention import ShuffleAttention
from ferdata.models.stages import backbone_stages
from ferdata.models.timm_model import TimmModel

Variant = Literal["cloformer", "literal"]


class Ctan(TimmModel):
    """ConvNeXt-Tiny, efficient attention, shuffle attention, mean, classifier.

    30,513,547 parameters with 7 classes; 45,468 more with `rfb`, 769 more for an eighth class.
    Takes images of any size from 32 px; 224 px in the paper.

    Args:
        num_classes: Number of classes K.
        in_chans: Channels of the images.
        pretrained: Use timm's ImageNet weights of `convnext_tiny` for stem and stages, but not for
            the last LayerNorm, since shuffle attention permutes the channels.
        rfb: Add a receptive field block after the stem; None is off. Its shortcut is not an
            identity, so that pretrained stages get unfamiliar features.
        variant: Efficient attention of CloFormer, or of CTAN's equations.
        window: Side of the windows of the low-frequency branch; a smaller map is one window. With
            7 at 224 px its queries and keys have no effect (see `GlobalBranch`); 1 gives full
            attention. Only for `variant="cloformer"`, like `heads` and `local_heads`.
        heads: Total number of heads of both branches.
        local_heads: Heads of the high-frequency branch.
        kernel: Side of the depthwise kernel of the local branch.
        residual: Add the input of efficient attention to its output.
        groups: Groups of shuffle attention.
        drop_rate: Dropout before the classifier; the paper gives none.
        drop_path_rate: Stochastic depth of the last ConvNeXt block, rising from 0 at the first;
            0.3 in section IV.C.

    Raises:
        OptionError: A number is out of range.
        UnknownNameError: There is no such `variant`.
    """

    embedding_size = 768
    num_features = 768
    levels = 4
    tail = ("attention", "shuffle")
    first_conv = "stem.0"

    def __init__(
        self,
        num_classes: int = 7,
        in_chans: int = 3,
        *,
        pretrained: bool = False,
        rfb: bool | None = None,
        variant: Variant = "cloformer",
        window: int = 7,
        heads: int = 8,
        local_heads: int = 4,
        kernel: int = 5,
        residual: bool = True,
        groups: int = 64,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.3,
    ) -> None:
        super().__init__(num_classes, in_chans, drop_rate)
        if variant not in get_args(Variant):
            raise UnknownNameError("variant of efficient attention", variant, get_args(Variant))
        if not 0 <= drop_path_rate < 1:
            raise OptionError(
                f"drop_path_rate: expected at least 0 and less than 1, got {drop_path_rate}."
            )
        width = self.embedding_size
        self.attention: nn.Module
        if variant == "literal":
            self.attention = LiteralEfficientAttention(width, kernel=kernel)
        else:
            self.attention = EfficientAttention(
                width, heads=heads, local_heads=local_heads, kernel=kernel, window=window
            )
        self.attention.apply(_initialize)
        self.residual = residual
        self.shuffle = ShuffleAttention(width, groups)
        backbone = timm.create_model(
            "convnext_tiny",
            pretrained=pretrained,
            in_chans=in_chans,
            num_classes=0,
            drop_path_rate=drop_path_rate,
        )
        self.stem = backbone.stem
        self.rfb = BasicRFB(backbone.feature_info[0]["num_chs"]) if rfb else nn.Identity()
        self.stages = backbone.stages
        self.norm = nn.LayerNorm(width, eps=1e-6)  # ConvNeXt's ε
        self.stages_info = backbone_stages(("stem", "rfb"), "stages", backbone.feature_info)
        self.reset_classifier(num_classes)

    def make_classifier(self, num_classes: int) -> nn.Module:
        """Make a linear layer, initialized as ConvNeXt's."""
        return nn.Linear(self.embedding_size, num_classes).apply(_initialize)

    def run_tail(self, x: Tensor) -> Tensor:
        """Return the output of shuffle attention, (B, 768, H / 32, W / 32)."""
        attended = self.attention(x)
        shuffled: Tensor = self.shuffle(x + attended if self.residual else attended)
        return shuffled

    def pool(self, x: Tensor) -> Tensor:
        """Return the normalized mean over space, (B, 768); the map itself if it is not pooled."""
        pooled = super().pool(x)
        return pooled if self.global_pool.is_identity() else self.norm(pooled)


def _initialize(module: nn.Module) -> None:
    """Initialize a layer as ConvNeXt's code does: truncated normal of 0.02, bias 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
