"""LMFER: MobileViT-XS with coordinate attention, emotion attention and pooling for tokens.

| part    | layers                                           | output at 256×256 |
|---------|--------------------------------------------------|-------------------|
| stem    | conv 3×3, stride 2                               | 16×128×128        |
| stage 1 | MV2 block                                        | 32×128×128        |
|         | coordinate attention with channel branch ("CA+") | 32×128×128        |
| stage 2 | MV2 block, stride 2; two MV2 blocks              | 48×64×64          |
|         | emotion attention ("EAM")                        | 48×64×64          |
| stage 3 | MV2 block, stride 2; MobileViT block, 2 layers   | 64×32×32          |
| stage 4 | MV2 block, stride 2; MobileViT block, 4 layers   | 80×16×16          |
| stage 5 | MV2 block, stride 2; MobileViT block, 3 layers   | 96×8×8            |
| head    | conv 1×1, mean, dropout, linear                  | 384, then K       |

Paper: Zhang Aobo, "A facial emotion recognition model based on an improved MobileViT" (2026).
Base: Mehta and Rastegari, "MobileViT" (ICLR 2022), the extra small one, as timm builds it.

Choices where the paper is unclear:

- Abstract and conclusion put CA+ after stage 1 and EAM after stage 2 (`layout="respective"`);
  section III.B puts EAM after the stem and both after stages 1 and 2 (`layout="full"`).
- Section III.B replaces self-attention by PoolFormer's pooling; the ablation (Table 1) does not
  mention it. `token_mixer="attn"` keeps self-attention.
- No reading gives the 2.1 M parameters of Table 2: the literal one has 1.397 M, and 1.952 M with
  PoolFormer's own `mlp_ratio=4`.
- "Dropout after the fully connected layer" would drop logits; here it is before that layer.
"""

from __future__ import annotations

import timm
from timm.layers import Mlp
from torch import Tensor, nn

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.faces.landmark_scheme import REGIONS
from ferdata.models.layers.coordinate_attention import (
    ORDERS,
    CoordinateChannelAttention,
)
from ferdata.models.layers.emotion_attention import EmotionAttention
from ferdata.models.layers.pool_mixer import PooledMobileVitBlock
from ferdata.models.layers.swish import Swish, replace_silu
from ferdata.models.stages import Stage
from ferdata.models.timm_model import TimmModel

LAYOUTS: dict[str, tuple[str, str, str]] = {
    "none": ("", "", ""),
    "respective": ("", "coordinate", "emotion"),
    "full": ("emotion", "coordinate emotion", "coordinate emotion"),
}
"""The attentions after the stem, stage 1 and stage 2, in the order of application."""

TOKEN_MIXERS = ("pool", "attn")
_WIDTHS = (16, 32, 48)  # channels after the stem, stage 1 and stage 2 of MobileViT-XS
_BASE_MLP_RATIO = 2.0


class Lmfer(TimmModel):
    """LMFER; takes any input of at least 32 pixels a side.

    Below 128 pixels the last stage's tokens have no neighbors, so that pooling has no effect there.
    Its ImageNet weights take values in 0–1 without normalization.

    Args:
        num_classes: Number of classes.
        in_chans: Channels of the input.
        pretrained: Start from timm's `mobilevit_xs` (weights under Apple's ml-cvnets license),
            downloaded unless cached. Its attention is not used with pooled tokens, its MLPs only if
            `mlp_ratio` is 2. The two attentions of LMFER start at random, EAM as the identity.
        layout: `respective`, `full`, or `none`, the baseline of the ablation.
        token_mixer: `pool` or `attn`.
        mlp_ratio: Hidden width of the transformer's MLPs divided by its width: 2 in MobileViT, 4
            in PoolFormer.
        maps: Number of emotion maps; by default one for each basic class.
        drop_rate: Dropout before the classifier; the paper gives none.
        landmark_prior: Feed heat maps of brows, eyes, nose and mouth to emotion attention.
        order: Input of the channel branch of CA+: that of the coordinate gates (`parallel`) or
            their output (`sequential`).

    Raises:
        UnknownNameError: There is no such layout, token mixer or order.
        OptionError: A number is out of range, or `landmark_prior` is set and the layout has no EAM.
    """

    mean = (0.0, 0.0, 0.0)
    std = (1.0, 1.0, 1.0)
    usual_input = 256
    tail = ("final_conv",)
    first_conv = "stem.conv"

    def __init__(
        self,
        num_classes: int = 7,
        in_chans: int = 3,
        *,
        pretrained: bool = False,
        layout: str = "respective",
        token_mixer: str = "pool",  # noqa: S107 - no password
        mlp_ratio: float = _BASE_MLP_RATIO,
        maps: int = 7,
        drop_rate: float = 0.2,
        landmark_prior: bool = False,
        order: str = "parallel",
    ) -> None:
        super().__init__(num_classes, in_chans, drop_rate)
        if layout not in LAYOUTS:
            raise UnknownNameError("layout", layout, LAYOUTS)
        if token_mixer not in TOKEN_MIXERS:
            raise UnknownNameError("token_mixer", token_mixer, TOKEN_MIXERS)
        if order not in ORDERS:
            raise UnknownNameError("order", order, ORDERS)
        if mlp_ratio <= 0:
            raise OptionError(f"mlp_ratio={mlp_ratio}: must be above 0; MobileViT has 2")
        if landmark_prior and layout == "none":
            raise OptionError(
                "landmark_prior needs emotion attention, which layout='none' lacks; "
                "use layout='respective' or 'full'"
            )
        base = timm.create_model(
            "mobilevit_xs", pretrained=pretrained, num_classes=num_classes, in_chans=in_chans
        )
        if mlp_ratio != _BASE_MLP_RATIO:
            _resize_mlps(base, mlp_ratio)
        if token_mixer == "pool":  # noqa: S105 - no password
            _pool_tokens(base)
        replace_silu(base)
        self.takes_prior = landmark_prior
        self.embedding_size = self.num_features = int(base.num_features)
        self.stem = base.stem
        self.stages = base.stages
        self.final_conv = base.final_conv
        self.attentions = nn.ModuleList(
            StageAttention(
                kinds,
                channels,
                maps=maps,
                prior_channels=len(REGIONS) if landmark_prior else 0,
                order=order,
            )
            for kinds, channels in zip(LAYOUTS[layout], _WIDTHS, strict=True)
        )
        self.classifier = base.head.fc
        self.stages_info = [
            Stage(("stem", "attentions.0", "stages.0", "attentions.1"), 32, 2),
            Stage(("stages.1", "attentions.2"), 48, 4),
            Stage(("stages.2",), 64, 8),
            Stage(("stages.3",), 80, 16),
            Stage(("stages.4",), 96, 32),
        ]

    def make_classifier(self, num_classes: int) -> nn.Module:
        """Make a linear layer, initialized as timm does in MobileViT."""
        layer = nn.Linear(self.embedding_size, num_classes)
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)
        return layer

    def run_stage(self, index: int, x: Tensor, prior: Tensor | None) -> Tensor:
        """Return the output of one stage; its attentions take the prior."""
        for name in self.stages_info[index].modules:
            module = self.get_submodule(name)
            x = module(x, prior) if name.startswith("attentions") else module(x)
        return x

    def no_weight_decay(self) -> set[str]:
        """Return the names of all slopes of Swish."""
        return {f"{name}.b" for name, part in self.named_modules() if isinstance(part, Swish)}


class StageAttention(nn.Module):
    """The attentions after one stage.

    Args:
        kinds: `coordinate`, `emotion`, both (with a space between) or none.
        channels: Channels of the stage's output.
        maps: Emotion maps.
        prior_channels: Heat maps for emotion attention.
        order: Order of coordinate attention's branches.
    """

    def __init__(
        self, kinds: str, channels: int, *, maps: int, prior_channels: int, order: str
    ) -> None:
        super().__init__()
        self.coordinate = (
            CoordinateChannelAttention(channels, order) if "coordinate" in kinds else nn.Identity()
        )
        self.emotion = (
            EmotionAttention(channels, maps, prior_channels) if "emotion" in kinds else None
        )

    def forward(self, x: Tensor, prior: Tensor | None) -> Tensor:
        """Return the attended features, shape (B, C, H, W) as the input."""
        gated: Tensor = self.coordinate(x)
        if self.emotion is None:
            return gated
        fused: Tensor = self.emotion(gated, prior)
        return fused


def _mobilevit_blocks(base: nn.Module) -> list[tuple[nn.Sequential, int]]:
    """Return the MobileViT blocks of timm's model, each as its stage and its index there."""
    return [
        (stage, place)
        for stage in base.get_submodule("stages").children()
        if isinstance(stage, nn.Sequential)
        for place, block in enumerate(stage)
        if hasattr(block, "transformer")
    ]


def _pool_tokens(base: nn.Module) -> None:
    for stage, place in _mobilevit_blocks(base):
        stage[place] = PooledMobileVitBlock(stage[place])


def _resize_mlps(base: nn.Module, ratio: float) -> None:
    for stage, place in _mobilevit_blocks(base):
        for layer in stage[place].get_submodule("transformer").children():
            width = layer.get_parameter("mlp.fc1.weight").shape[1]
            layer.mlp = Mlp(width, round(width * ratio), act_layer=nn.SiLU)
