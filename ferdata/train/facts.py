"""What a checkpoint must say about itself so that it can be used without its run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from torch import nn

import ferdata
from ferdata.errors import LabelError
from ferdata.labels import LabelSpace

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's train images, RGB in 0–1 (torchvision's documentation of its weights)."""
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of ImageNet's train images, RGB in 0–1 (ibid.)."""


class ModelFacts(BaseModel):
    """A model's name, its classes and the images it expects; plain types only.

    Attributes:
        model: Name for `create_model`.
        label_space: Name of the label space.
        labels: Class names; the index of a logit is the position of its name.
        channels: 3 for RGB, 1 for grey.
        input_size: `(height, width)` of the model's input; images of other sizes are resized.
        mean: Mean per channel that is subtracted, of values in 0–1.
        std: Standard deviation per channel that is divided by.
        ferdata_version: Version that wrote the checkpoint.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())

    model: str
    label_space: str
    labels: tuple[str, ...]
    channels: int
    input_size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    ferdata_version: str = ferdata.__version__

    def space(self) -> LabelSpace:
        """Return the classes as a label space."""
        return LabelSpace(self.label_space, self.labels)

    def require_labels(self, other: LabelSpace, where: str) -> None:
        """Check that another label space has the same names in the same order.

        Args:
            other: Label space of the data.
            where: The data, for the message.

        Raises:
            LabelError: The label spaces differ.
        """
        if self.labels == other.names:
            return
        lacking = sorted(set(other.names) - set(self.labels))
        surplus = sorted(set(self.labels) - set(other.names))
        difference = "; ".join(
            part
            for part in (
                f"only the data has {', '.join(lacking)}" if lacking else "",
                f"only the model has {', '.join(surplus)}" if surplus else "",
                "" if lacking or surplus else "the order differs",
            )
            if part
        )
        raise LabelError(
            f"{where} has the label space {other.name!r} ({', '.join(other.names)}), the model was "
            f"trained on {self.label_space!r} ({', '.join(self.labels)}): {difference}. "
            "Use a build with the model's classes, or train on this one."
        )


def describe(
    name: str, model: nn.Module, space: LabelSpace, *, height: int, width: int, channels: int
) -> ModelFacts:
    """Collect the facts of a new model.

    Normalisation is what timm recorded for the model's ImageNet weights, so that it fits whether
    or not these weights are used; grey images take the mean of the three channels.

    Args:
        name: Name that `create_model` was called with.
        model: The model.
        space: The classes of the data.
        height: Height of the data's images in pixels.
        width: Width of the data's images in pixels.
        channels: Channels of the data's images.
    """
    config = getattr(model, "pretrained_cfg", None) or {}
    mean = tuple(float(value) for value in config.get("mean") or IMAGENET_MEAN)
    std = tuple(float(value) for value in config.get("std") or IMAGENET_STD)
    if channels != len(mean):
        mean = (sum(mean) / len(mean),) * channels
        std = (sum(std) / len(std),) * channels
    size = (height, width)
    if config.get("fixed_input_size"):  # efficientvit_m5 and most ViTs take one size only
        size = (int(config["input_size"][1]), int(config["input_size"][2]))
    return ModelFacts(
        model=name,
        label_space=space.name,
        labels=space.names,
        channels=channels,
        input_size=size,
        mean=mean,
        std=std,
    )
