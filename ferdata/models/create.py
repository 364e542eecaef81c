"""Make a model by its name."""

from __future__ import annotations

from pathlib import Path

import timm
from timm.models import load_checkpoint
from torch import nn

from ferdata.core.errors import ModelFileError, OptionError, UnknownNameError
from ferdata.models.registry import MODELS, PAPER_MODELS, make_model, model_options
from ferdata.models.timm_entries import build
from ferdata.models.weights import read_weights


def create_model(
    name: str,
    num_classes: int,
    *,
    in_chans: int = 3,
    pretrained: bool = False,
    checkpoint_path: str | Path | None = None,
    **kwargs: object,
) -> nn.Module:
    """Make a classifier that turns (B, in_chans, H, W) float32 into (B, num_classes) logits.

    Names of `MODELS` take precedence. timm has an `efficientvit_m5` too, which a weight tag
    selects: `"efficientvit_m5.r224_in1k"`.

    Args:
        name: One of `MODELS`, or any timm model, with or without a weight tag:
            `"mobilenetv1_100"`, `"resnet18.a1_in1k"`. `timm.list_models()` lists them.
        num_classes: Number of classes of the new head; 0 for the embedding instead of logits,
            except for a plugin's model.
        in_chans: Channels of the input; timm adapts pretrained first layers to it.
        pretrained: Start from the ImageNet weights of the timm model, or of the timm model that
            one of ours is built on; downloaded from the Hugging Face hub unless cached.
        checkpoint_path: Start from these weights: a checkpoint of a run, or a file of weights that
            timm reads, such as safetensors.
        **kwargs: Options of one of `MODELS` (see `model_options`); for a timm model passed to its
            own function, for instance `drop_rate=0.2`. timm's models and the papers' take
            `features_only=True` and `out_indices`, too.

    Raises:
        UnknownNameError: There is no such model, or a model of `MODELS` has no such option; the
            message lists the closest names.
        OptionError: A model can't take an option or its value.
        ModelFileError: The pretrained weights don't exist or can't be had, or the checkpoint can't
            be read or does not fit.
        PluginError: The package that brings the model can't be used.
    """
    if name not in MODELS and not timm.is_model(name):
        raise UnknownNameError("model", name, {*MODELS, *timm.list_models()})
    try:
        model = _create(name, num_classes, in_chans, pretrained, kwargs)
    except (OSError, RuntimeError) as error:  # huggingface_hub's errors are OSErrors
        if not pretrained:
            raise
        raise ModelFileError(
            f"pretrained weights of {name!r} can't be had: {error} "
            "Train from scratch (without --pretrained), or fill the Hugging Face cache (HF_HOME) "
            "on a machine with a network and copy it here."
        ) from error
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise OptionError(
            f"timm's {name!r} can't take one of the options {', '.join(kwargs)}: {error}"
        ) from error
    if checkpoint_path is not None:
        _load(model, name, Path(checkpoint_path))
    return model


def takes_image_size(name: str) -> bool:
    """Return whether a model is made for one input size, which its option `img_size` sets.

    Args:
        name: A name that `create_model` knows.
    """
    if name in MODELS:
        return "img_size" in model_options(name)
    config = timm.get_pretrained_cfg(name)
    return bool(config and config.fixed_input_size)


def _create(
    name: str, num_classes: int, in_chans: int, pretrained: bool, options: dict[str, object]
) -> nn.Module:
    if name in PAPER_MODELS:
        return build(name, pretrained, num_classes=num_classes, in_chans=in_chans, **options)
    if name in MODELS:
        return make_model(name, num_classes, in_chans, pretrained=pretrained, options=options)
    model: nn.Module = timm.create_model(
        name, pretrained=pretrained, num_classes=num_classes, in_chans=in_chans, **options
    )
    return model


def _load(model: nn.Module, name: str, path: Path) -> None:
    """Load a checkpoint of ferdata, or what timm reads."""
    try:
        if path.suffix == ".ckpt":
            model.load_state_dict(read_weights(path)[1])
        else:
            load_checkpoint(model, str(path))
    except (RuntimeError, OSError) as error:
        first_lines = " ".join(str(error).split())[:300]
        raise ModelFileError(
            f"checkpoint_path {path}: can't be loaded into {name!r}: {first_lines}. The number of "
            "classes, channels and the options must be those that it was trained with."
        ) from error
