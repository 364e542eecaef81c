"""The papers' models in timm.

Once this module is imported, which `create_model` does, `timm.create_model("fer_lmfer")` works and
`timm.list_models("fer_*")` lists all five.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import timm
from timm.models import generate_default_cfgs, register_model
from torch import nn

from ferdata.models.registry import PAPER_MODELS, make_model, model_class, model_options


def _entry(name: str) -> Callable[..., nn.Module]:
    """Make the function that timm calls; timm takes its name for the model's."""

    def entry(
        pretrained: bool = False, num_classes: int = 7, in_chans: int = 3, **options: object
    ) -> nn.Module:
        # where timm finds weights is its own affair; these models take those of their base
        for key in ("pretrained_cfg", "pretrained_cfg_overlay", "cache_dir"):
            options.pop(key, None)
        return make_model(name, num_classes, in_chans, pretrained=pretrained, options=options)

    entry.__name__ = entry.__qualname__ = f"fer_{name}"
    entry.__doc__ = model_class(name).__doc__
    return entry


def _config(name: str) -> dict[str, Any]:
    model = model_class(name)
    return {
        "num_classes": 7,
        "input_size": (3, model.usual_input, model.usual_input),
        "fixed_input_size": "img_size" in model_options(name),
        "mean": model.mean,
        "std": model.std,
    }


default_cfgs = generate_default_cfgs({f"fer_{name}": _config(name) for name in PAPER_MODELS})
"""Size and normalization of each model; timm looks for this name in the module of an entry."""

for _name in PAPER_MODELS:
    if not timm.is_model(f"fer_{_name}"):  # timm warns of a name that comes twice
        register_model(_entry(_name))
