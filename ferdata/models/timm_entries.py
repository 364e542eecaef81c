"""The papers' models in timm.

Once this module is imported, which `create_model` does, `timm.create_model("fer_lmfer")` works and
`timm.list_models("fer_*")` lists all five.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import timm
from timm.models import (
    build_model_with_cfg,
    generate_default_cfgs,
    register_model,
    resolve_pretrained_cfg,
)
from torch import nn

from ferdata.models.registry import PAPER_MODELS, make_model, model_class, model_options
from ferdata.models.timm_model import TimmModel, image_config


def build(name: str, pretrained: bool = False, **options: Any) -> nn.Module:
    """Make one of the papers' models as timm makes its own.

    Args:
        name: One of `PAPER_MODELS`.
        pretrained: Start from weights: those that `pretrained_cfg` names (timm does for
            `local-dir:` and `hf-hub:`), else those of the timm model that this one is built on.
        **options: Of the model, and timm's: `num_classes`, `in_chans`, `global_pool`,
            `features_only`, `out_indices`, `pretrained_cfg`, `pretrained_cfg_overlay`, `cache_dir`.

    Raises:
        UnknownNameError: There is no such option.
        OptionError: An option has a wrong value.
        ModelFileError: There are no pretrained weights.
    """
    variant = f"fer_{name}"
    config = resolve_pretrained_cfg(
        variant, options.pop("pretrained_cfg", None), options.pop("pretrained_cfg_overlay", None)
    )
    own_weights = pretrained and bool(config.has_weights or config.state_dict)
    if size := _side(options.get("img_size")):
        config = replace(config, input_size=(config.input_size[0], size, size))
    # timm may set the image size; its builder has words of its own that are options of a model
    own = {key: options.pop(key) for key in {*options} & {*model_options(name)} - {"img_size"}}
    model: nn.Module = build_model_with_cfg(
        partial(_make, name, pretrained=pretrained and not own_weights, **own),
        variant,
        own_weights,
        pretrained_cfg=config,
        feature_cfg={"feature_cls": "getter", "out_indices": tuple(range(_class(name).levels))},
        **options,
    )
    return model


def _make(
    name: str,
    *,
    num_classes: int,
    in_chans: int,
    pretrained: bool,
    global_pool: str | None = None,
    **options: Any,
) -> nn.Module:
    """Make a model of the arguments that timm's builder hands on."""
    if size := _side(options.get("img_size")):
        options["img_size"] = size
    model = make_model(name, num_classes, in_chans, pretrained=pretrained, options=options)
    if global_pool is not None and isinstance(model, TimmModel):
        model.set_global_pool(global_pool)
    return model


def _side(size: Any) -> int | None:
    """Return the side of images whose size is given as a number or as (height, width)."""
    if isinstance(size, list | tuple) and len(set(size)) == 1:
        size = size[0]
    return size if isinstance(size, int) else None


def _class(name: str) -> type[TimmModel]:
    model = model_class(name)
    if not issubclass(model, TimmModel):
        raise TypeError(f"{name}: models of timm's registry are subclasses of TimmModel")
    return model


def _entry(name: str) -> Callable[..., nn.Module]:
    """Make the function that timm calls; timm takes its name for the model's."""

    def entry(pretrained: bool = False, **options: Any) -> nn.Module:
        return build(name, pretrained, **options)

    entry.__name__ = entry.__qualname__ = f"fer_{name}"
    entry.__doc__ = model_class(name).__doc__
    return entry


default_cfgs = generate_default_cfgs(
    {f"fer_{name}": image_config(_class(name)) for name in PAPER_MODELS}
)
"""Size and normalization of each model; timm looks for this name in the module of an entry."""

for _name in PAPER_MODELS:
    if not timm.is_model(f"fer_{_name}"):  # timm warns of a name that comes twice
        register_model(_entry(_name))
