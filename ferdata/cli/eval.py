"""`ferdata eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.train import Device, Select
from ferdata.errors import MissingExtraError


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run that `ferdata train` made.")],
    build: Annotated[Path, typer.Argument(help="Folder of a build with the same classes.")],
    split: Annotated[str, typer.Option(help="Split to score on.")] = "test",
    checkpoint: Annotated[
        Select | None,
        typer.Option(help="Checkpoint to score [default: as the run selected]."),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Score a trained model on a split: accuracy, per-class table, confusion matrix.

    Writes report.json, confusion.csv and confusion.png below RUN/evaluation.

    \b
    Examples:
      ferdata eval runs/rafdb-regnetx_002 out/rafdb --split test
      ferdata eval runs/rafdb-regnetx_002 out/rafdb --split validation --json
    """
    try:
        import ferdata.train as training  # noqa: PLC0415 - torch, timm and Lightning are heavy
    except ImportError as error:
        raise MissingExtraError("evaluation", "train", error) from error

    report = training.evaluate(
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
        from ferdata.train.tables import evaluation_text  # noqa: PLC0415 - as above

        typer.echo(evaluation_text(report))
