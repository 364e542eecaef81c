"""Models by name: everything that timm knows."""

from __future__ import annotations

import timm
from torch import nn

from ferdata.errors import ModelFileError, UnknownNameError

__all__ = ["create_model"]


def create_model(
    name: str, num_classes: int, *, in_chans: int = 3, pretrained: bool = False, **kwargs: object
) -> nn.Module:
    """Make a classifier that turns (B, in_chans, H, W) float32 into (B, num_classes) logits.

    Args:
        name: Any timm model, with or without a weight tag: `"mobilenetv1_100"`,
            `"resnet18.a1_in1k"`. `timm.list_models()` lists them.
        num_classes: Number of classes of the new head.
        in_chans: Channels of the input; timm adapts pretrained first layers to it.
        pretrained: Start from the ImageNet weights of the timm model, downloaded from the
            Hugging Face hub unless they are in its cache.
        **kwargs: Handed to the model's own function, for instance `drop_rate=0.2`.

    Raises:
        UnknownNameError: timm has no such model; the message names the closest.
        ModelFileError: The pretrained weights don't exist or can't be had.
    """
    if not timm.is_model(name):
        raise UnknownNameError("model", name, timm.list_models())
    try:
        model: nn.Module = timm.create_model(
            name, pretrained=pretrained, num_classes=num_classes, in_chans=in_chans, **kwargs
        )
    except (OSError, RuntimeError) as error:  # huggingface_hub's errors are OSErrors
        if not pretrained:
            raise
        raise ModelFileError(
            f"pretrained weights of {name!r} can't be had: {error} "
            "Train from scratch (without --pretrained), or fill the Hugging Face cache (HF_HOME) "
            "on a machine with a network and copy it here."
        ) from error
    return model
