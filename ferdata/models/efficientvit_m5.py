"""Advanced EfficientViT-M5: the backbone of EfficientViT-M5 with a linear head without bias.

Huynh, Nguyen, Le and Le-Tien, "Human Emotion Recognition with an Advanced Vision Transformer
Model", 2025, doi 10.4108/eetcasa.8101, section 3.2. The backbone is that of Liu et al., CVPR 2023.

Choices where the paper is unclear:

- The new head is "a flattening layer and a fully connected layer". The original pools before its
  head, so that a new head flattens 384 pooled values. `head="flatten"` takes the whole map.
- "Biases set to zero" in section 3.1, "all biases were deactivated" in 3.2: no bias.
- Weights from the "standard normal distribution" make logits about as large as the norm of the
  features; the default here is 0.02, and `head_init_std=1.0` is the paper's.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import timm
import torch
from torch import Tensor, nn

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.stages import backbone_stages
from ferdata.models.timm_model import TimmModel

Head = Literal["pooled", "flatten"]

PATCH = 16
"""Side of a patch of the patch embedding, pixels."""


class EfficientVitM5(TimmModel):
    """EfficientViT-M5 with a head of one matrix, without batch norm.

    12,090,692 parameters with 7 classes at 224 px, 12,131,012 with `head="flatten"`. The tables of
    attention biases have the size of the map, so that a model takes images of one size.

    Args:
        num_classes: Number of classes K.
        in_chans: Channels of the images.
        pretrained: Use timm's ImageNet weights of the backbone; at sizes other than 224 their
            tables of attention biases are resized.
        head: Input of the matrix: the mean of the last map over space, or the whole map.
        head_init_std: Initial standard deviation of the matrix; 1.0 in section 3.2.
        drop_rate: Dropout before the matrix; the paper gives none.
        img_size: Side of the images, pixels, a multiple of 16.

    Raises:
        OptionError: A number is out of range.
        UnknownNameError: There is no such `head`.
    """

    levels = 3
    first_conv = "backbone.patch_embed.conv1.conv"

    def __init__(
        self,
        num_classes: int = 7,
        in_chans: int = 3,
        *,
        pretrained: bool = False,
        head: Head = "pooled",
        head_init_std: float = 0.02,
        drop_rate: float = 0.0,
        img_size: int = 224,
    ) -> None:
        super().__init__(num_classes, in_chans, drop_rate)
        if head not in get_args(Head):
            raise UnknownNameError("head", head, get_args(Head))
        if not 0 < head_init_std < math.inf:
            raise OptionError(f"head_init_std: expected more than 0, got {head_init_std}.")
        if img_size < 2 * PATCH or img_size % PATCH:
            raise OptionError(
                f"img_size: expected a multiple of {PATCH} from {2 * PATCH} on, such as 224, "
                f"got {img_size}."
            )
        self.backbone = timm.create_model(
            "efficientvit_m5",
            pretrained=pretrained,
            in_chans=in_chans,
            num_classes=0,
            img_size=img_size,
            global_pool="",
        )
        self.head = head
        self.head_init_std = head_init_std
        self.fixed_input = img_size
        self.num_features = int(self.backbone.num_features)
        places = self.backbone.stages[-1].resolution ** 2 if head == "flatten" else 1
        self.embedding_size = self.num_features * places
        self.stages_info = backbone_stages(
            ("backbone.patch_embed",), "backbone.stages", self.backbone.feature_info
        )
        self.reset_classifier(num_classes)

    def make_classifier(self, num_classes: int) -> nn.Module:
        """Make a linear layer without bias."""
        layer = nn.Linear(self.embedding_size, num_classes, bias=False)
        nn.init.normal_(layer.weight, std=self.head_init_std)
        return layer

    def pool(self, x: Tensor) -> Tensor:
        """Return the pooled or flattened map, (B, 384) or (B, 384 · h · w), h = w = 4 at 224 px."""
        flat = self.head == "flatten" and not self.global_pool.is_identity()
        return torch.flatten(x, 1) if flat else super().pool(x)

    def no_weight_decay(self) -> set[str]:
        """Return the names of the tables of attention biases."""
        return {f"backbone.{name}" for name in self.backbone.no_weight_decay()}
