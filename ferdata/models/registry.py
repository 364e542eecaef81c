"""Models by name, and their options; importing this module loads neither torch nor timm.

A model is a subclass of `ExpressionModel` whose constructor takes the numbers of classes and
channels, `pretrained`, and the model's own options as keywords with type annotations:

    class Mine(ExpressionModel):
        def __init__(self, num_classes: int = 7, in_chans: int = 3, *, pretrained: bool = False,
                     width: float = 1.0) -> None: ...

ferdata's own models are listed in `PAPER_MODELS`. A package adds one with an entry point:

    [project.entry-points."ferdata.plugins"]
    "model.mine" = "my_package.models:Mine"
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ferdata.core.errors import OptionError, PluginError, UnknownNameError
from ferdata.core.registry import Registry

if TYPE_CHECKING:
    from ferdata.models.base import ExpressionModel

PAPER_MODELS: Mapping[str, str] = {
    "lmfer": "ferdata.models.lmfer:Lmfer",
    "i_mobilenetv2": "ferdata.models.i_mobilenetv2:IMobileNetV2",
    "efficientvit_m5": "ferdata.models.efficientvit_m5:EfficientVitM5",
    "ctan": "ferdata.models.ctan:Ctan",
    "a_mobilenet": "ferdata.models.a_mobilenet:AMobileNet",
}
"""The models of five papers; timm knows each by its name with `fer_` before it."""

MODELS: Registry[type[ExpressionModel]] = Registry("model", PAPER_MODELS)
"""All models that are not timm's."""


def model_class(name: str) -> type[ExpressionModel]:
    """Return one of `MODELS`.

    Raises:
        UnknownNameError: There is no such model.
        PluginError: The package that brings it can't be used.
    """
    from ferdata.models.base import ExpressionModel  # noqa: PLC0415 - loads torch

    model = MODELS.get(name)
    if not (isinstance(model, type) and issubclass(model, ExpressionModel)):
        raise PluginError(
            f"model {name!r} is {model!r}; expected a subclass of ferdata.models.ExpressionModel."
        )
    return model


def model_options(name: str) -> dict[str, Any]:
    """Return the options of one of `MODELS`, with their types.

    Raises:
        UnknownNameError: There is no such model.
        PluginError: The package that brings it can't be used.
    """
    constructor = model_class(name).__init__
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
        UnknownNameError: There is no such model, or an option names something that does not exist.
        OptionError: The model has no such option, or its value is of the wrong type or range.
        PluginError: The package that brings the model can't be used.
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
    return model_class(name)(num_classes, in_chans, pretrained=pretrained, **options)
