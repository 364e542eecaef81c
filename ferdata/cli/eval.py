"""`ferdata eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.train import Device, Select
from ferdata.core.errors import MissingExtraError


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run that `ferdata train` made.")],
    build: Annotated[Path, typer.Argument(help="Folder of a build that shares classes with it.")],
    split: Annotated[str, typer.Option(help="Split to score on.")] = "test",
    checkpoint: Annotated[
        Select | None,
        typer.Option(help="Checkpoint to score [default: as the run selected]."),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Score a trained model on a split: accuracy, per-class table, calibration, groups.

    Classes are matched by name: on a build with other classes, those it shares with the model are
    scored. Below RUN/evaluation goes report.json, with predictions, confusion matrix and groups as
    CSV, and confusion matrix, calibration and the surest mistakes as PNG.

    \b
    Examples:
      ferdata eval runs/rafdb-regnetx_002 out/rafdb --split test
      ferdata eval runs/rafdb-regnetx_002 out/rafdb --split validation --json
      ferdata eval runs/rafdb-regnetx_002 out/ckplus --split test
    """
    try:
        from ferdata.evaluation.report_text import evaluation_text  # noqa: PLC0415 - torch is heavy
        from ferdata.evaluation.scoring import evaluate as score  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("evaluation", "train", error) from error

    report = score(
        run,
        build,
        split,
        checkpoint=checkpoint.value if checkpoint else None,
        device=device.value,
        quiet=quiet,
    )
    if as_json:
        typer.echo(json.dumps(report.model_dump(mode="json"), indent=1))
    else:
        typer.echo(evaluation_text(report))
