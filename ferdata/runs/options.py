"""What a training run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from ferdata.core.errors import OptionError, UnknownNameError


class TrainOptions(BaseModel):
    """Options of one training run; all but those in `RESUMABLE` shape its result.

    Attributes:
        recipe: The recipe that filled in what was not given; for the record.
        model: A name that `create_model` knows.
        model_options: Options of the model's own, for instance `{"mlp_ratio": 4}`.
        pretrained: Start from ImageNet weights (a download from the Hugging Face hub).
        input_size: Side of the model's input, pixels; images of another size are resized on the
            device. None: as stored.
        mean: Mean per channel that is subtracted, of values in 0–1; None: what the model expects.
        std: Standard deviation per channel that is divided by; None: what the model expects.
        augment: Augmentation of train images on the device, anew in each epoch: operations as in
            `ferdata.models.inputs.augment`, for instance `({"op": "horizontal_flip"},)`.
        epochs: Passes over the train split.
        batch_size: Images per step and device.
        accumulate: Batches whose gradients are averaged for a step; the last step of an epoch may
            have fewer, which then count for less.
        subset: Share of train that is seen in the first `subset_epochs` epochs, drawn once.
        subset_epochs: Epochs on the subset; 0 for none.
        optimizer: `adamw` decays weights apart from the gradient, `adam` and `sgd` with it.
        lr: Peak learning rate, after warm-up.
        momentum: Momentum of `sgd`.
        weight_decay: On weights but not on biases and norms.
        lookahead: Slow weights that follow the fast ones (Zhang et al., NeurIPS 2019).
        lookahead_steps: Steps between two moves of the slow weights, k.
        lookahead_alpha: How far they move, α.
        schedule: `cosine` down to `min_lr`; `step`: times `step_factor` every `step_epochs`;
            `inverse_time`: lr / (1 + `lr_decay` · step); `constant`.
        warmup: Share of all steps in which the learning rate rises to its peak.
        min_lr: Learning rate at the end of `cosine`; None: a hundredth of the peak.
        step_epochs: Epochs between two steps of `step`.
        step_factor: What a step of `step` multiplies with.
        lr_decay: Decay per step of `inverse_time`.
        loss: `cross_entropy` on labels, or `soft_cross_entropy` on the build's soft labels.
        label_smoothing: ε of Szegedy et al., CVPR 2016, section 7.
        class_weights: `"balanced"` weights each image by N / n_c of its class c in the training
            loss; a soft label by the expected weight.
        center_loss: Weight λ of the center loss (Wen et al., ECCV 2016); 0 for none.
        center_rate: How far a center moves toward its class in a step, α.
        ema_decay: Decay of the averaged weights that are validated, kept and tested; 0 for none.
        early_stopping: Epochs without a lower validation loss after which the run ends; 0: never.
        gradient_clip: Largest L2 norm of the gradient; 0 for no limit.
        select: Checkpoint that is evaluated at the end: the `best` on validation, or the `last`.
        seed: Seeds initial weights, the order of images and every other draw.
        device: Where to compute; `"auto"` takes a GPU where there is one.
        devices: GPUs (or CPU processes) per node.
        nodes: Machines that train together; each runs the same command.
        precision: `"auto"` is bfloat16 mixed precision on GPUs that have it, else float32.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    recipe: str | None = None
    model: str = "regnetx_002"
    model_options: dict[str, Any] = {}
    pretrained: bool = False
    input_size: int | None = Field(default=None, ge=16, le=1024)
    mean: tuple[float, ...] | None = None
    std: tuple[PositiveFloat, ...] | None = None
    augment: tuple[dict[str, Any], ...] = ()
    epochs: int = Field(default=30, ge=1)
    batch_size: int = Field(default=32, ge=2)  # batch normalization can't work on one image
    accumulate: int = Field(default=1, ge=1)
    subset: float = Field(default=1.0, gt=0, le=1)
    subset_epochs: int = Field(default=0, ge=0)
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    lr: float = Field(default=2e-3, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.05, ge=0)
    lookahead: bool = False
    lookahead_steps: int = Field(default=6, ge=1)
    lookahead_alpha: float = Field(default=0.5, gt=0, le=1)
    schedule: Literal["cosine", "step", "inverse_time", "constant"] = "cosine"
    warmup: float = Field(default=0.1, ge=0, lt=1)
    min_lr: float | None = Field(default=None, ge=0)
    step_epochs: int = Field(default=10, ge=1)
    step_factor: float = Field(default=0.1, gt=0, le=1)
    lr_decay: float = Field(default=1e-5, ge=0)
    loss: Literal["cross_entropy", "soft_cross_entropy"] = "cross_entropy"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] = "none"
    center_loss: float = Field(default=0.0, ge=0)
    center_rate: float = Field(default=0.5, gt=0, le=1)
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    early_stopping: int = Field(default=0, ge=0)
    gradient_clip: float = Field(default=1.0, ge=0)
    select: Literal["best", "last"] = "best"
    seed: int = Field(default=0, ge=0, lt=2**32)
    device: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = Field(default=1, ge=1)
    nodes: int = Field(default=1, ge=1)
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"

    @model_validator(mode="after")
    def _consistent(self) -> TrainOptions:
        if (self.subset < 1) != (self.subset_epochs > 0):
            raise ValueError(
                f"subset ({self.subset:g}) and subset_epochs ({self.subset_epochs}) belong "
                "together: give both, or neither"
            )
        return self


RESUMABLE = frozenset({"device"})
"""Options that a resumed run may change: where to compute, not what."""


def read_options(given: Mapping[str, Any]) -> TrainOptions:
    """Make options from values that a user gave.

    Raises:
        UnknownNameError: There is no such option.
        OptionError: A value is out of its range.
    """
    try:
        return TrainOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UnknownNameError("training option", name, TrainOptions.model_fields) from None
        if not name:  # a rule about several options
            raise OptionError(f"{first['msg'].removeprefix('Value error, ')}.") from None
        raise OptionError(f"{name}: {first['msg']}, got {first['input']!r}.") from None


def merge_for_resume(recorded: TrainOptions, asked: TrainOptions) -> TrainOptions:
    """Return the options under which a run goes on.

    Args:
        recorded: Options that the run was started with.
        asked: Options of the call that resumes; only fields that were set explicitly count.

    Raises:
        OptionError: `asked` wants an option to be other than it was recorded.
    """
    before = recorded.model_dump(mode="json")  # as it was read: lists where there were tuples
    given = asked.model_dump(mode="json", include=asked.model_fields_set)
    changed = {name: value for name, value in given.items() if not _agrees(value, before[name])}
    refused = sorted(set(changed) - RESUMABLE)
    if refused:
        listed = ", ".join(
            f"{name}={before[name]} (now asked: {changed[name]})" for name in refused
        )
        raise OptionError(
            f"the run was started with {listed}; --resume goes on as it began. Leave these "
            "options out, or start another run with --out."
        )
    return recorded.model_copy(update=changed)


def _agrees(value: Any, recorded: Any) -> bool:
    """Return whether a value is as recorded; of a mapping, only the keys given count."""
    if isinstance(value, dict) and isinstance(recorded, dict):
        return value.items() <= recorded.items()
    return bool(value == recorded)
