"""What a training run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ferdata.errors import OptionError


class TrainOptions(BaseModel):
    """Options of one training run; all but those in `RESUMABLE` shape its result.

    Attributes:
        model: A name that `create_model` knows.
        pretrained: Start from ImageNet weights (a download from the Hugging Face hub).
        epochs: Passes over the train split.
        batch_size: Images per step and device.
        lr: Peak learning rate of AdamW, after warm-up.
        weight_decay: Decoupled weight decay, on weights but not on biases and norms.
        warmup: Share of all steps in which the learning rate rises to its peak.
        label_smoothing: ε of Szegedy et al., CVPR 2016, section 7.
        class_weights: `"balanced"` weighs class c with N / n_c in the training loss.
        gradient_clip: Largest L2 norm of the gradient; 0 for no limit.
        select: Checkpoint that is evaluated at the end: the `best` on validation, or the `last`.
        seed: Seeds initial weights, the order of images and every other draw.
        device: Where to compute; `"auto"` takes a GPU where there is one.
        precision: `"auto"` is bfloat16 mixed precision on GPUs that have it, else float32.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "regnetx_002"
    pretrained: bool = False
    epochs: int = Field(default=30, ge=1)
    batch_size: int = Field(default=32, ge=2)  # batch normalisation can't work on one image
    lr: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weights: Literal["none", "balanced"] = "none"
    gradient_clip: float = Field(default=1.0, ge=0)
    select: Literal["best", "last"] = "best"
    seed: int = Field(default=0, ge=0, lt=2**32)
    device: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"


RESUMABLE = frozenset({"device"})
"""Options that a resumed run may change: where to compute, not what."""


def read_options(given: Mapping[str, Any]) -> TrainOptions:
    """Make options from values that a user gave.

    Raises:
        OptionError: A value is out of its range, or there is no such option.
    """
    try:
        return TrainOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise OptionError(f"{name}: {first['msg']}, got {first['input']!r}.") from None


def merge_for_resume(recorded: TrainOptions, asked: TrainOptions) -> TrainOptions:
    """Return the options under which a run goes on.

    Args:
        recorded: Options that the run was started with.
        asked: Options of the call that resumes; only fields that were set explicitly count.

    Raises:
        OptionError: `asked` wants an option to be other than it was recorded.
    """
    changed = {name: getattr(asked, name) for name in asked.model_fields_set}
    changed = {name: value for name, value in changed.items() if value != getattr(recorded, name)}
    refused = sorted(set(changed) - RESUMABLE)
    if refused:
        listed = ", ".join(
            f"{name}={getattr(recorded, name)} (now asked: {changed[name]})" for name in refused
        )
        raise OptionError(
            f"the run was started with {listed}; --resume goes on as it began. Leave these "
            "options out, or start another run with --out."
        )
    return recorded.model_copy(update=changed)
