"""A-MobileNet: MobileNetV1 with linear depthwise convolutions and CBAM.

Nan, Ju, Hua, Zhang and Wang, "A-MobileNet: An approach of facial expression recognition",
Alexandria Engineering Journal, 2021, doi 10.1016/j.aej.2021.09.066. Layers: Table 1.

Choices where the paper is unclear:

- CBAM follows the five equal blocks once, not each of them: "9 DSC layers and 4 improved DSC
  layers" make 13 only then.
- The linear depthwise convolution is in "all of the original MobileNet model and the improved"
  layers (section 2.2): by default in all 13 (`linear_dw`).
- CBAM comes after the pointwise convolution's batch norm and ReLU6.
- CBAM's reduction is 16, which gives the 3.4 M parameters of Tables 3 and 4; 8 does not.
- Dropout is before the classifier; center loss gets the vector before dropout.
"""

from __future__ import annotations

from typing import Literal, get_args

import timm
from timm.layers.cbam import CbamModule
from torch import nn

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.stages import backbone_stages
from ferdata.models.timm_model import TimmModel

LinearDepthwise = Literal["all", "improved", "none"]

IMPROVED = ((2, 0), (3, 0), (3, 5), (4, 1))
"""Blocks with CBAM as (stage, block) of timm's MobileNetV1: the 4th, 6th, 11th and 13th."""


class AMobileNet(TimmModel):
    """MobileNetV1 with CBAM in four blocks, linear depthwise convolutions, and dropout.

    3,419,351 parameters with 7 classes, 3,420,376 with 8. Takes images of any size; 224 px in the
    paper.

    Args:
        num_classes: Number of classes K.
        in_chans: Channels of the images.
        pretrained: Use timm's ImageNet weights of `mobilenetv1_100`. They were trained with ReLU6
            after the depthwise convolutions, so that they fit `linear_dw="none"` best.
        linear_dw: Blocks without ReLU6 after the depthwise convolution: all, those with CBAM, or
            none.
        reduction: Factor by which the hidden layer of CBAM's channel gate is narrower than the
            map.
        drop_rate: Dropout before the classifier; 0.5 in section 3.1.

    Raises:
        OptionError: A number is out of range.
        UnknownNameError: There is no such `linear_dw`.
    """

    embedding_size = 1024
    num_features = 1024
    first_conv = "backbone.conv_stem"
    mean = (0.5, 0.5, 0.5)
    std = (0.5, 0.5, 0.5)

    def __init__(
        self,
        num_classes: int = 7,
        in_chans: int = 3,
        *,
        pretrained: bool = False,
        linear_dw: LinearDepthwise = "all",
        reduction: int = 16,
        drop_rate: float = 0.5,
    ) -> None:
        super().__init__(num_classes, in_chans, drop_rate)
        if linear_dw not in get_args(LinearDepthwise):
            raise UnknownNameError("linear_dw", linear_dw, get_args(LinearDepthwise))
        if not 1 <= reduction <= 256:  # the channels of the first map that has CBAM
            raise OptionError(f"reduction: expected a number from 1 to 256, got {reduction}.")
        self.backbone = timm.create_model(
            "mobilenetv1_100", pretrained=pretrained, in_chans=in_chans, num_classes=0
        )
        for number, stage in enumerate(self.backbone.blocks):
            for index, block in enumerate(stage):
                improved = (number, index) in IMPROVED
                if linear_dw == "all" or (linear_dw == "improved" and improved):
                    block.bn1.act = nn.Identity()
                if improved:
                    channels = block.conv_pw.out_channels
                    cbam = CbamModule(channels, rd_channels=channels // reduction)
                    stage[index] = nn.Sequential()
                    stage[index].add_module("block", block)
                    stage[index].add_module("cbam", cbam)
        self.stages_info = backbone_stages(
            ("backbone.conv_stem", "backbone.bn1"), "backbone.blocks", self.backbone.feature_info
        )
        self.reset_classifier(num_classes)

    def make_classifier(self, num_classes: int) -> nn.Module:
        """Make a linear layer."""
        return nn.Linear(self.embedding_size, num_classes)
