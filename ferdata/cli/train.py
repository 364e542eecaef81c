"""`ferdata train`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ferdata.errors import MissingExtraError


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


def train(
    build: Annotated[Path, typer.Argument(help="Folder of a finished build.")],
    model: Annotated[
        str | None, typer.Option(help="Any timm model [default: regnetx_002].")
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Start from ImageNet weights (a download).")
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the train split [default: 30].")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=2, help="Images per step [default: 32].")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate of AdamW [default: 0.002].")
    ] = None,
    class_weights: Annotated[
        ClassWeights | None,
        typer.Option(help="balanced: weigh class c with N / n_c in the loss [default: none]."),
    ] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(min=0, max=1, help="Label smoothing [default: 0].")
    ] = None,
    select: Annotated[
        Select | None,
        typer.Option(help="Checkpoint to test: best on validation, or last [default: best]."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed [default: 0].")] = None,
    device: Annotated[
        Device | None, typer.Option(help="Where to compute; auto takes a GPU [default: auto].")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run [default: runs/BUILD-MODEL].")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last complete epoch of --out.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Train a model on a build, choose its best epoch on validation, test it.

    The best epoch is chosen on the validation split, never on test. Checkpoints, the metrics of
    every epoch and the test scores go to the run's folder.

    \b
    Examples:
      ferdata train out/rafdb --epochs 3
      ferdata train out/rafdb --model mobilenetv1_100 --out runs/mobilenet
      ferdata train out/rafdb --out runs/mobilenet --resume
    """
    try:
        import ferdata.train as training  # noqa: PLC0415 - torch, timm and Lightning are heavy
    except ImportError as error:
        raise MissingExtraError("training", "train", error) from error
    from ferdata.train.options import read_options  # noqa: PLC0415 - as above

    given: dict[str, Any] = {
        "model": model, "epochs": epochs, "batch_size": batch_size, "lr": lr,
        "class_weights": class_weights, "label_smoothing": label_smoothing, "select": select,
        "seed": seed, "device": device, "pretrained": pretrained or None,
    }  # fmt: skip
    options = read_options({name: value for name, value in given.items() if value is not None})
    report = training.train(build, out, options, resume=resume, quiet=quiet)
    if as_json:
        typer.echo(json.dumps(report.model_dump(mode="json"), indent=1))
    else:
        from ferdata.train.tables import run_text  # noqa: PLC0415 - as above

        typer.echo(run_text(report, build))
