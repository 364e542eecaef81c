"""ferdata's own models by name, here and in timm.

Importing this module makes `timm.create_model("fer_lmfer", num_classes=7)` work, and
`timm.list_models("fer_*")` list them all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import timm
from pydantic import TypeAdapter, ValidationError
from timm.models import generate_default_cfgs, register_model
from torch import nn

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.a_mobilenet import AMobileNet
from ferdata.models.base import ExpressionModel
from ferdata.models.ctan import Ctan
from ferdata.models.efficientvit_m5 import EfficientVitM5
from ferdata.models.i_mobilenetv2 import IMobileNetV2
from ferdata.models.lmfer import Lmfer

MODELS: Mapping[str, type[ExpressionModel]] = {
    "lmfer": Lmfer,
    "i_mobilenetv2": IMobileNetV2,
    "efficientvit_m5": EfficientVitM5,
    "ctan": Ctan,
    "a_mobilenet": AMobileNet,
}
"""The models of five papers; timm knows each by its name with `fer_` before it."""


def model_options(name: str) -> dict[str, Any]:
    """Return the options of one of `MODELS`, with their types.

    Raises:
        UnknownNameError: There is no such model.
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    constructor = MODELS[name].__init__
    hints = get_type_hints(constructor)
    return {
        parameter.name: hints[parameter.name]
        for parameter in inspect.signature(constructor).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != "pretrained"
    }


def make_model(
    name: str, num_classes: int, in_chans: int, *, pretrained: bool, options: Mapping[str, object]
) -> ExpressionModel:
    """Make one of `MODELS`.

    Args:
        name: Its name, without `fer_`.
        num_classes: Number of classes.
        in_chans: Channels of the input.
        pretrained: Start from ImageNet weights.
        options: The model's own options.

    Raises:
        UnknownNameError: There is no such model, or an option names something that is not there.
        OptionError: The model has no such option, or its value is of the wrong type or range.
    """
    known = model_options(name)
    for option, value in options.items():
        if option not in known:
            raise UnknownNameError(f"option of {name}", option, known)
        try:
            TypeAdapter(known[option]).validate_python(value, strict=True)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise OptionError(f"{name}: option {option}={value!r}: {reason}") from error
    return MODELS[name](num_classes, in_chans, pretrained=pretrained, **options)


def _timm_entry(name: str) -> Callable[..., nn.Module]:
    """Make the function that timm calls, with a name that timm takes for the model's."""

    def entry(
        pretrained: bool = False, num_classes: int = 7, in_chans: int = 3, **options: object
    ) -> nn.Module:
        # where timm finds weights is its own affair; these models take those of their base
        for key in ("pretrained_cfg", "pretrained_cfg_overlay", "cache_dir"):
            options.pop(key, None)
        return make_model(name, num_classes, in_chans, pretrained=pretrained, options=options)

    entry.__name__ = entry.__qualname__ = f"fer_{name}"
    entry.__doc__ = MODELS[name].__doc__
    return entry


def _timm_config(name: str) -> dict[str, Any]:
    model = MODELS[name]
    return {
        "num_classes": 7,
        "input_size": (3, model.usual_input, model.usual_input),
        "fixed_input_size": "img_size" in model_options(name),
        "mean": model.mean,
        "std": model.std,
    }


default_cfgs = generate_default_cfgs({f"fer_{name}": _timm_config(name) for name in MODELS})
"""Size and normalization of each model; timm looks for this name in the module of an entry."""

for _name in MODELS:
    if not timm.is_model(f"fer_{_name}"):  # timm warns of a name that comes twice
        register_model(_timm_entry(_name))
