"""`ferdata eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.flags import Checkpoint, Device, Json, Quiet
from ferdata.cli.output import echo_json


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    build: Annotated[
        Path | None,
        typer.Argument(help="Folder of a build. [default: the build that the run was trained on]"),
    ] = None,
    split: Annotated[str, typer.Option(help="Split to evaluate on.")] = "test",
    checkpoint: Checkpoint = None,
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Evaluate a trained model on a split: accuracy, per-class table, calibration, groups.

    Classes are matched by name; if the build has other classes than the model, only their common
    classes are evaluated. Results are written to RUN/evaluation: report.json; predictions,
    confusion matrix and groups as CSV; confusion matrix, calibration and the most confident
    mistakes as PNG.

    \b
    Examples:
      ferdata eval runs/rafdb-regnetx_002 out/rafdb --split test
      ferdata eval runs/rafdb-regnetx_002 --split validation --json
      ferdata eval runs/rafdb-regnetx_002 out/ckplus --split test
    """
    from ferdata.api.runs import evaluate as score  # noqa: PLC0415 - keeps start-up light

    report = score(run, build, split, checkpoint=checkpoint, device=device, quiet=quiet)
    from ferdata.evaluation.report_text import evaluation_text  # noqa: PLC0415 - torch is heavy

    if as_json:
        echo_json(report)
    else:
        typer.echo(evaluation_text(report))
