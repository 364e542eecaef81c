"""`ferdata train`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from ferdata.core.errors import MissingExtraError, OptionError


class Device(StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class Select(StrEnum):
    """Which checkpoint is tested."""

    BEST = "best"
    LAST = "last"


class ClassWeights(StrEnum):
    """How classes are weighed in the training loss."""

    NONE = "none"
    BALANCED = "balanced"


class Loss(StrEnum):
    """What is compared with the model's answer."""

    CROSS_ENTROPY = "cross_entropy"
    SOFT_CROSS_ENTROPY = "soft_cross_entropy"


class OptimizerName(StrEnum):
    """How weights are moved."""

    ADAMW = "adamw"
    ADAM = "adam"
    SGD = "sgd"


class ScheduleName(StrEnum):
    """How the learning rate changes."""

    COSINE = "cosine"
    STEP = "step"
    INVERSE_TIME = "inverse_time"
    CONSTANT = "constant"


class Precision(StrEnum):
    """Numbers to compute with."""

    AUTO = "auto"
    FLOAT32 = "32-true"
    BF16 = "bf16-mixed"
    FP16 = "16-mixed"


def train(
    build: Annotated[Path, typer.Argument(help="Folder of a finished build.")],
    recipe: Annotated[
        str | None,
        typer.Option(help="Train as a paper did; a name of `ferdata recipes`, or a YAML file."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="lmfer, i_mobilenetv2, efficientvit_m5, ctan, a_mobilenet, or any timm model "
            "[default: regnetx_002]."
        ),
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Start from ImageNet weights (a download).")
    ] = False,
    input_size: Annotated[
        int | None, typer.Option(help="Resize images to this side on the device, pixels.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the train split [default: 30].")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=2, help="Images per step and device [default: 32].")
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(min=1, help="Batches per step [default: 1].")
    ] = None,
    optimizer: Annotated[
        OptimizerName | None, typer.Option(help="adamw, adam or sgd [default: adamw].")
    ] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate [default: 0.002].")] = None,
    schedule: Annotated[
        ScheduleName | None, typer.Option(help="Of the learning rate [default: cosine].")
    ] = None,
    loss: Annotated[
        Loss | None,
        typer.Option(help="soft_cross_entropy learns soft labels [default: cross_entropy]."),
    ] = None,
    class_weights: Annotated[
        ClassWeights | None,
        typer.Option(help="balanced: weigh class c with N / n_c in the loss [default: none]."),
    ] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(min=0, max=1, help="Label smoothing [default: 0].")
    ] = None,
    ema_decay: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Average weights, such as 0.999 [default: 0]."),
    ] = None,
    early_stopping: Annotated[
        int | None,
        typer.Option(min=0, help="Stop after epochs without a lower validation loss [default: 0]."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any other option of TrainOptions, its value in YAML: lookahead=true, "
            "center_loss=0.005, 'augment=[{op: horizontal_flip}]'. May be repeated.",
        ),
    ] = None,
    select: Annotated[
        Select | None,
        typer.Option(help="Checkpoint to test: best on validation, or last [default: best]."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed [default: 0].")] = None,
    device: Annotated[
        Device | None, typer.Option(help="Where to compute; auto takes a GPU [default: auto].")
    ] = None,
    devices: Annotated[
        int | None, typer.Option(min=1, help="GPUs, or CPU processes, per node [default: 1].")
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, help="Machines; run the same command on each [default: 1]."),
    ] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="auto is bfloat16 where there is [default: auto].")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run, on a disk that all nodes share [default: runs/BUILD-MODEL]."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the run in --out; if there is none, start it.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Train a model on a build, choose its best epoch on validation, test it.

    The best epoch is chosen on the validation split, never on test. Checkpoints, the metrics of
    every epoch, their curves and the test scores go to the run's folder. With --recipe, a default
    is what the paper says; what is given here comes before it.

    \b
    Examples:
      ferdata train out/rafdb --epochs 3
      ferdata train out/rafdb --model a_mobilenet --out runs/mobilenet
      ferdata train out/rafdb --out runs/mobilenet --resume
      ferdata train out/lmfer --recipe lmfer
      ferdata train out/lmfer --recipe lmfer --input-size 64 --epochs 1 --batch-size 16
      ferdata train out/rafdb --model ctan --devices 4 --set 'augment=[{op: horizontal_flip}]'
    """
    try:
        from ferdata import training  # noqa: PLC0415 - torch, timm and Lightning are heavy
        from ferdata.data import Build  # noqa: PLC0415
        from ferdata.training.recipe_options import run_options  # noqa: PLC0415
        from ferdata.training.report import run_text  # noqa: PLC0415
        from ferdata.training.trainer import is_first_process  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("training", "train", error) from error

    named: dict[str, Any] = {
        "model": model, "input_size": input_size, "epochs": epochs, "batch_size": batch_size,
        "accumulate": accumulate, "optimizer": optimizer, "lr": lr, "schedule": schedule,
        "loss": loss, "class_weights": class_weights, "label_smoothing": label_smoothing,
        "ema_decay": ema_decay, "early_stopping": early_stopping, "select": select, "seed": seed,
        "device": device, "devices": devices, "nodes": nodes, "precision": precision,
        "pretrained": pretrained or None,
    }  # fmt: skip
    given = {name: value for name, value in named.items() if value is not None}
    given |= _read_settings(option or [])
    options = run_options(given, Build.open(build), recipe=recipe, out=out, resume=resume)
    report = training.train(build, out, options, resume=resume, quiet=quiet)
    if not is_first_process():
        return
    if as_json:
        typer.echo(json.dumps(report.model_dump(mode="json"), indent=1))
    else:
        typer.echo(run_text(report, build))


def _read_settings(settings: list[str]) -> dict[str, Any]:
    """Read `NAME=VALUE` pairs; a value is YAML.

    Raises:
        OptionError: One is not a pair, or its value is not YAML.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, mark, text = setting.partition("=")
        try:
            values[name.strip().replace("-", "_")] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise OptionError(f"--set {setting}: the value is not YAML ({error})") from None
        if not mark or not name.strip():
            raise OptionError(f"--set {setting}: write NAME=VALUE, such as lookahead=true")
    return values
