"""I-MobileNetV2: MobileNetV2 with reverse fusion, SELU and squeeze-and-excitation.

Table 1 at width 0.75 and 48×48, with the strides that its sizes need:

| row | layers       | t | n | stride | output    | reverse fusion | SE |
|-----|--------------|---|---|--------|-----------|----------------|----|
| 1   | conv 3×3     |   | 1 | 2      | 16×24×24  |                |    |
| 2   | blocks       | 2 | 2 | 2      | 24×12×12  | yes            | yes|
| 3   | blocks       | 6 | 3 | 2      | 24×6×6    | yes            |    |
| 4   | blocks       | 6 | 3 | 2      | 48×3×3    | yes            |    |
| 5   | blocks       | 6 | 4 | 1      | 72×3×3    | yes            |    |
| 6   | blocks       | 6 | 2 | 2      | 120×2×2   | yes            | yes|
| 7   | blocks       | 6 | 3 | 1      | 320×2×2   | yes            |    |
| 8   | mean, linear |   |   |        | K         |                |    |

A block: conv 1×1 to t times the channels, BN, SELU; depthwise 3×3, BN; reverse fusion; SE; conv
1×1, BN. The input is added where stride is 1 and the channels stay.

Paper: Zhu et al., "A study on expression recognition based on improved mobilenetV2 network",
Scientific Reports 14:8121 (2024). Base: Sandler et al., "MobileNetV2" (CVPR 2018); SE: Hu, Shen and
Sun (CVPR 2018); SELU: Klambauer et al. (NeurIPS 2017).

Choices where the paper is unclear:

- Table 1 has stride 1 in rows 3–6 but sizes that halve; the sizes are used. Its n = 6 in the first
  row belongs to Sandler's column t; one convolution is built.
- Table 1 lists the channels of width 1.0; the text uses 0.75 and ends with 320 channels, so the
  last row is not scaled.
- No reading gives the 3.26 M parameters of Table 2; this one has 3.548 M.
- Reverse fusion by summation is an even function, which loses the sign that it is meant to keep:
  see `ferdata.models.layers.reverse_fusion`. It is also flat around zero, so that a network with
  random weights hardly learns (of 64 faces to memorize, a third is correct after 160 steps). The
  paper gives no initialization; here the norm before the fusion starts two deviations above zero,
  where nearly all values have one sign and the sum is monotone (64 of 64 after 80 steps).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from timm.layers import SqueezeExcite, make_divisible
from torch import Tensor, nn

from ferdata.core.errors import ModelFileError, OptionError, UnknownNameError
from ferdata.models.layers.reverse_fusion import ReverseFusion
from ferdata.models.stages import Stage
from ferdata.models.timm_model import TimmModel


class Row(NamedTuple):
    """One row of blocks; the stride is the first block's.

    Attributes:
        expansion: t, the factor from a block's input to its hidden channels.
        channels: Output channels at width 1.
        repeats: n, the number of blocks.
        stride: Stride of the first block.
        excited: Whether the blocks have squeeze-and-excitation (SE).
    """

    expansion: int
    channels: int
    repeats: int
    stride: int
    excited: bool


TABLES: dict[str, tuple[int, tuple[Row, ...]]] = {
    # The paper's Table 1.
    "paper": (
        16,
        (
            Row(2, 24, 2, 2, True),
            Row(6, 32, 3, 2, False),
            Row(6, 64, 3, 2, False),
            Row(6, 96, 4, 1, False),
            Row(6, 160, 2, 2, True),
            Row(6, 320, 3, 1, False),
        ),
    ),
    # Sandler et al., Table 2; SE in the rows whose width has it in the paper.
    "sandler": (
        32,
        (
            Row(1, 16, 1, 1, False),
            Row(6, 24, 2, 2, True),
            Row(6, 32, 3, 2, False),
            Row(6, 64, 4, 2, False),
            Row(6, 96, 3, 1, False),
            Row(6, 160, 3, 2, True),
            Row(6, 320, 1, 1, False),
        ),
    ),
}
"""Channels of the stem at width 1, and the rows, of each table."""

START_SHIFT = 2.0
"""Initial shift of the norm before an even fusion, in standard deviations."""


class IMobileNetV2(TimmModel):
    """I-MobileNetV2; takes any input, usually 48×48.

    With `rfm="sum"`, the literal reading of the paper, every block loses the sign of the output of
    its depthwise convolution; `weighted` can learn to keep it.

    Args:
        num_classes: Number of classes.
        in_chans: Channels of the input.
        pretrained: Must be False: there are no ImageNet weights for these layers.
        table: `paper` or `sandler`, the rows of the original MobileNetV2.
        width: Factor on all channels, rounded to multiples of 8.
        last: Channels of the last row at any width; None scales it like the others.
        rfm: Reverse fusion: `sum`, `weighted`, `concat` or `none`.
        se: Squeeze-and-excitation, reduction 16, in the rows marked in Table 1.
        drop_rate: Dropout before the classifier; the paper gives none.

    Raises:
        UnknownNameError: There is no such table or fusion.
        OptionError: A number is out of range.
        ModelFileError: `pretrained` is set.
    """

    usual_input = 48
    first_conv = "stem.0"

    def __init__(
        self,
        num_classes: int = 7,
        in_chans: int = 3,
        *,
        pretrained: bool = False,
        table: str = "paper",
        width: float = 0.75,
        last: int | None = 320,
        rfm: str = "sum",
        se: bool = True,
        drop_rate: float = 0.0,
    ) -> None:
        super().__init__(num_classes, in_chans, drop_rate)
        if table not in TABLES:
            raise UnknownNameError("table", table, TABLES)
        if width <= 0:
            raise OptionError(f"width={width}: must be above 0; the paper has 0.75")
        if last is not None and last < 1:
            raise OptionError(f"last={last}: must be 1 or more, or None to scale it by the width")
        if pretrained:
            raise ModelFileError(
                "i_mobilenetv2 has no pretrained weights, since none have been published; train "
                "from scratch (without --pretrained), or use 'mobilenetv2_100'."
            )
        stem, rows = TABLES[table]
        channels = make_divisible(stem * width)
        self.stem = nn.Sequential(
            nn.Conv2d(in_chans, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.SELU(),
        )
        self.rows = nn.ModuleList()
        stages = [Stage(("stem",), channels, 2)]
        for number, row in enumerate(rows, start=1):
            scaled = make_divisible(row.channels * width)
            out = scaled if last is None or number < len(rows) else last
            blocks = []
            for block in range(row.repeats):
                stride = row.stride if block == 0 else 1
                blocks.append(
                    ReverseFusionBlock(
                        channels,
                        out,
                        expansion=row.expansion,
                        stride=stride,
                        rfm=rfm,
                        se=se and row.excited,
                    )
                )
                channels = out
            self.rows.append(nn.Sequential(*blocks))
            before = stages[-1]
            same = stages.pop().modules if row.stride == 1 else ()
            stages.append(Stage((*same, f"rows.{number - 1}"), out, before.reduction * row.stride))
        self.stages_info = stages
        self.embedding_size = self.num_features = channels
        self.reset_classifier(num_classes)

    def make_classifier(self, num_classes: int) -> nn.Module:
        """Make a linear layer, which row 9's 1×1 convolution on one pixel is."""
        return nn.Linear(self.embedding_size, num_classes)


class ReverseFusionBlock(nn.Module):
    """Inverted residual block with reverse fusion after its depthwise convolution.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        expansion: Factor to the hidden channels; 1 omits the first convolution, as in
            MobileNetV2.
        stride: Stride of the depthwise convolution.
        rfm: Kind of reverse fusion.
        se: Squeeze-and-excitation on the fused features.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int,
        stride: int,
        rfm: str,
        se: bool,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        fusion = ReverseFusion(hidden, rfm)
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        if expansion > 1:
            parts["expand"] = nn.Conv2d(in_channels, hidden, 1, bias=False)
            parts["expand_norm"] = nn.BatchNorm2d(hidden)
            parts["act"] = nn.SELU()
        parts["depthwise"] = nn.Conv2d(
            hidden, hidden, 3, stride=stride, padding=1, groups=hidden, bias=False
        )
        norm = nn.BatchNorm2d(hidden)
        if fusion.starts_even:
            nn.init.constant_(norm.bias, START_SHIFT)
        parts["depthwise_norm"] = norm
        parts["fusion"] = fusion
        if se:
            parts["se"] = SqueezeExcite(fusion.out_channels, rd_ratio=1 / 16, rd_divisor=1)
        parts["project"] = nn.Conv2d(fusion.out_channels, out_channels, 1, bias=False)
        parts["project_norm"] = nn.BatchNorm2d(out_channels)
        self.layers = nn.Sequential(parts)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return features, (B, `out_channels`, H/stride, W/stride), sides rounded up."""
        y: Tensor = self.layers(x)
        return x + y if self.residual else y
