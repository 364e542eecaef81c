"""Options of a training run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, model_validator

from ferdata.core.errors import OptionError
from ferdata.core.options import Listed, Metavar, Options, flag, split_words


class TrainOptions(Options):
    """Options of one training run; all except those in `RESUMABLE` affect the result."""

    sections: ClassVar[Mapping[str, str]] = {
        "recipe": "Model",
        "augment": "Augmentation during training",
        "epochs": "Epochs and batches",
        "optimizer": "Optimizer",
        "schedule": "Learning rate schedule",
        "loss": "Loss",
        "ema_decay": "Averaging and stopping",
        "device": "Devices",
    }

    recipe: Annotated[str | None, Metavar("NAME|FILE"), Listed("ferdata.recipes:recipe_names")] = (
        None
    )
    """Train by a paper's recipe: its name or a YAML file. Other options override it; see `ferdata
    recipes`."""

    model: Annotated[str, Metavar("NAME"), Listed("ferdata.models.registry:MODELS")] = "regnetx_002"
    """`lmfer`, `i_mobilenetv2`, `efficientvit_m5`, `ctan`, `a_mobilenet`, or any timm model."""

    model_options: dict[str, Any] = {}
    """Options of the model, for instance `{mlp_ratio: 4}`."""

    pretrained: bool = False
    """Start from ImageNet weights, downloaded from the Hugging Face Hub."""

    input_size: int | None = Field(None, ge=16, le=1024)
    """Side of the model's input in pixels; other images are resized on the device. [default: as
    stored]"""

    mean: Annotated[tuple[float, ...] | None, BeforeValidator(split_words), Metavar("X,X,X")] = None
    """Mean per channel, subtracted from values in 0–1. [default: the model's own]"""

    std: Annotated[
        tuple[PositiveFloat, ...] | None, BeforeValidator(split_words), Metavar("X,X,X")
    ] = None
    """Standard deviation per channel, by which values are divided. [default: the model's own]"""

    augment: tuple[dict[str, Any], ...] = ()
    """Random operations, drawn again in every epoch, for instance `[{op: horizontal_flip}]`."""

    epochs: int = Field(30, ge=1)
    """Number of passes over the train split."""

    batch_size: int = Field(32, ge=2)  # batch normalization can't work on one image
    """Images per device and step."""

    accumulate: int = Field(1, ge=1)
    """Gradient accumulation: batches per optimizer step. The last step of an epoch may have fewer
    batches, and then counts less."""

    subset: float = Field(1.0, gt=0, le=1)
    """Fraction of train used in the first `subset_epochs` epochs, drawn once."""

    subset_epochs: int = Field(0, ge=0)
    """Number of epochs on the subset; 0 for none."""

    seed: int = Field(0, ge=0, lt=2**32)
    """Random seed: initial weights, order of images, all other draws."""

    select: Literal["best", "last"] = "best"
    """Checkpoint to test: the best on validation, or the last."""

    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """Optimizer; `adamw` decouples weight decay from the gradient, `adam` and `sgd` don't."""

    lr: float = Field(2e-3, gt=0)
    """Peak learning rate, reached after warm-up."""

    momentum: float = Field(0.9, ge=0, lt=1)
    """Momentum of `sgd`."""

    weight_decay: float = Field(0.05, ge=0)
    """Weight decay; not applied to biases and normalization layers."""

    lookahead: bool = False
    """Wrap the optimizer in Lookahead (Zhang et al., NeurIPS 2019)."""

    lookahead_steps: int = Field(6, ge=1)
    """Lookahead: steps k between updates of the slow weights."""

    lookahead_alpha: float = Field(0.5, gt=0, le=1)
    """Lookahead: step size α of the slow weights."""

    gradient_clip: float = Field(1.0, ge=0)
    """Maximum L2 norm of the gradient; 0 for no limit."""

    schedule: Literal["cosine", "step", "inverse_time", "constant"] = "cosine"
    """`cosine` decays to `min_lr`; `step` multiplies by `step_factor` every `step_epochs`;
    `inverse_time` is lr / (1 + `lr_decay` · step)."""

    warmup: float = Field(0.1, ge=0, lt=1)
    """Fraction of all steps in which the learning rate rises to its peak."""

    min_lr: float | None = Field(None, ge=0)
    """Final learning rate of the `cosine` schedule. [default: 1 % of the peak]"""

    step_epochs: int = Field(10, ge=1)
    """Epochs between drops of the `step` schedule."""

    step_factor: float = Field(0.1, gt=0, le=1)
    """Factor of each drop of the `step` schedule."""

    lr_decay: float = Field(1e-5, ge=0)
    """Decay per step of the `inverse_time` schedule."""

    loss: Literal["cross_entropy", "soft_cross_entropy"] = "cross_entropy"
    """Cross-entropy with the labels, or with the build's soft labels."""

    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Label smoothing ε (Szegedy et al., CVPR 2016, section 7)."""

    class_weights: Literal["none", "balanced"] = "none"
    """`balanced` weights each image by the inverse frequency of its class, N / n_c."""

    center_loss: float = Field(0.0, ge=0)
    """Weight λ of the center loss (Wen et al., ECCV 2016); 0 for none."""

    center_rate: float = Field(0.5, gt=0, le=1)
    """Step size α of the class centers."""

    ema_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the moving average of weights, which is then validated, saved and tested; 0 for
    none."""

    early_stopping: int = Field(0, ge=0)
    """Stop after this many epochs without a lower validation loss; 0 for never."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Device; `auto` uses a GPU if there is one."""

    devices: int = Field(1, ge=1)
    """GPUs, or CPU processes, per node."""

    nodes: int = Field(1, ge=1)
    """Number of machines; run the same command on each."""

    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Precision; `auto` is bfloat16 mixed precision on GPUs that support it, else float32."""

    @model_validator(mode="after")
    def _consistent(self) -> TrainOptions:
        if (self.subset < 1) != (self.subset_epochs > 0):
            raise ValueError(
                f"subset ({self.subset:g}) and subset_epochs ({self.subset_epochs}) must be given "
                "together, or neither"
            )
        return self


RESUMABLE = frozenset({"device"})
"""Options that a resumed run may change, since they don't affect the result."""


def merge_for_resume(recorded: TrainOptions, asked: TrainOptions) -> TrainOptions:
    """Return the options under which a run is resumed.

    Args:
        recorded: Options that the run was started with.
        asked: Options of the resuming call; only fields that were set explicitly count.

    Raises:
        OptionError: `asked` changes an option that affects the result.
    """
    before = recorded.model_dump(mode="json")  # as in the file: lists instead of tuples
    given = asked.model_dump(mode="json", include=asked.model_fields_set)
    changed = {name: value for name, value in given.items() if not _agrees(value, before[name])}
    refused = sorted(set(changed) - RESUMABLE)
    if refused:
        listed = ", ".join(f"{flag(name)} {before[name]} (now {changed[name]})" for name in refused)
        raise OptionError(
            f"the run was started with {listed}; a resumed run keeps its options. Leave these "
            "options out, or start another run with --out."
        )
    return recorded.model_copy(update=changed)


def _agrees(value: Any, recorded: Any) -> bool:
    """Return whether a value equals the recorded one; of a mapping, only given keys count."""
    if isinstance(value, dict) and isinstance(recorded, dict):
        return value.items() <= recorded.items()
    return bool(value == recorded)
