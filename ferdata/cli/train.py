"""`ferdata train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ferdata.cli.flags import Config, Json, Quiet, flags_of, read_settings, with_flags
from ferdata.cli.output import echo_json
from ferdata.core.options import flag
from ferdata.runs.options import TrainOptions


@with_flags(flags_of(TrainOptions))
def train(
    given: dict[str, Any],
    build: Annotated[Path, typer.Argument(help="Folder of a finished build.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run, on a disk shared by all nodes. [default: runs/BUILD-MODEL]"
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue after the last complete epoch in OUT."),
    ] = False,
    config: Config = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Set any option by its name, with a YAML value; may be repeated.",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a model on a build, select the best epoch on validation, and test it.

    The best epoch is selected on validation, never on test. Checkpoints, metrics and curves of
    every epoch, and the test scores are written to the run's folder. With --recipe, the paper's
    options are the defaults; options given here override them.

    \b
    Examples:
      ferdata train out/rafdb --epochs 3
      ferdata train out/rafdb --model a_mobilenet --out runs/mobilenet
      ferdata train out/rafdb --out runs/mobilenet --resume
      ferdata train out/lmfer --recipe lmfer
      ferdata train out/lmfer --recipe lmfer --input-size 64 --epochs 1 --batch-size 16
      ferdata train out/rafdb --model ctan --devices 4 --augment '[{op: horizontal_flip}]'
      ferdata train out/rafdb --config runs/rafdb-ctan/config.yaml --seed 1 --out runs/second
    """
    from ferdata.api.runs import run_train  # noqa: PLC0415 - keeps start-up light

    given |= read_settings(settings or [])
    report = run_train(
        build, given, out=out, config=config, resume=resume, quiet=quiet, spelled=flag
    )
    from ferdata.training.report import run_text  # noqa: PLC0415 - torch is heavy
    from ferdata.training.trainer import is_first_process  # noqa: PLC0415

    if not is_first_process():
        return
    if as_json:
        echo_json(report)
    else:
        typer.echo(run_text(report, build))
