"""The spec of a new model, which its checkpoints carry: input size, normalization, classes."""

from __future__ import annotations

from typing import Any

from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import nn

from ferdata.core.errors import OptionError
from ferdata.core.labels import LabelSpace
from ferdata.models.base import ExpressionModel
from ferdata.models.create import takes_image_size
from ferdata.models.spec import ModelSpec
from ferdata.runs.options import TrainOptions


def make_spec(
    model: nn.Module,
    options: TrainOptions,
    space: LabelSpace,
    shape: tuple[int, int, int],
    landmark_scheme: str | None = None,
) -> ModelSpec:
    """Make the spec of a new model.

    Normalization is that of the options, or else what the model's ImageNet weights expect, whether
    or not these weights are used; gray images get the mean over channels.

    Args:
        model: The model, made from the options.
        options: The options of the run.
        space: The classes of the data.
        shape: Height, width (pixels) and channels of the data's images.
        landmark_scheme: Scheme of the data's landmarks, for a model that takes a prior.

    Raises:
        OptionError: The options' normalization has the wrong number of values.
    """
    height, width, channels = shape
    expected_mean, expected_std, fixed = _expected(model)
    size = (fixed, fixed) if fixed else (height, width)
    if options.input_size is not None:
        size = (options.input_size, options.input_size)
    return ModelSpec(
        model=options.model,
        model_options=model_options(options),
        label_space=space.name,
        labels=space.names,
        channels=channels,
        input_size=size,
        mean=_for_channels("mean", options.mean or expected_mean, channels),
        std=_for_channels("std", options.std or expected_std, channels),
        landmark_scheme=landmark_scheme if getattr(model, "takes_prior", False) else None,
    )


def model_options(options: TrainOptions) -> dict[str, Any]:
    """Return the keyword arguments of `create_model`.

    A model that is made for one input size gets the input size of the run.
    """
    wanted = dict(options.model_options)
    if options.input_size is not None and takes_image_size(options.model):
        wanted.setdefault("img_size", options.input_size)
    return wanted


def _expected(model: nn.Module) -> tuple[tuple[float, ...], tuple[float, ...], int | None]:
    """Return mean, standard deviation and the fixed input size, if any, of a model's weights."""
    if isinstance(model, ExpressionModel):
        return model.mean, model.std, model.fixed_input
    config = getattr(model, "pretrained_cfg", None) or {}
    mean = tuple(float(value) for value in config.get("mean") or IMAGENET_DEFAULT_MEAN)
    std = tuple(float(value) for value in config.get("std") or IMAGENET_DEFAULT_STD)
    # most vision transformers take one size only
    fixed = int(config["input_size"][1]) if config.get("fixed_input_size") else None
    return mean, std, fixed


def _for_channels(name: str, values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """Return one value for each channel: a single value is repeated, gray gets the mean."""
    if len(values) == channels:
        return values
    if len(values) == 1:
        return values * channels
    if channels == 1:
        return (sum(values) / len(values),)
    raise OptionError(
        f"{name} has {len(values)} values, the images have {channels} channels; give one value for "
        "all channels or one for each."
    )
