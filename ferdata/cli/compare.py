"""`ferdata compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.flags import Device, Json, Quiet
from ferdata.cli.output import echo_json


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.", metavar="RUN")],
    build: Annotated[
        Path | None,
        typer.Option(help="Build to evaluate all runs on. [default: the one each was trained on]"),
    ] = None,
    split: Annotated[str, typer.Option(help="Split to evaluate on.")] = "test",
    latency: Annotated[
        bool, typer.Option("--latency/--no-latency", help="Also measure latency.")
    ] = True,
    repeats: Annotated[
        int, typer.Option(min=1, help="Forward passes to time per batch size.")
    ] = 20,
    device: Device = "auto",
    out: Annotated[
        list[Path] | None,
        typer.Option(help="Also write FILE.md, .csv, .json or .png; may be repeated."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare trained models: scores, parameters, FLOPs, latency, papers' claims.

    Every score is for one split, with its number of images and 95 % interval. The papers' own
    claims are in a separate table. Runs that are not yet evaluated on the split are evaluated
    first, as by ferdata eval; unfinished runs are skipped and listed.

    \b
    Examples:
      ferdata compare runs/rafdb-lmfer runs/rafdb-ctan
      ferdata compare runs/* --build out/rafdb --no-latency --out table.md --out table.png
      ferdata compare runs/* --split validation --json
    """
    from ferdata.api.runs import compare as compare_runs  # noqa: PLC0415 - keeps start-up light
    from ferdata.evaluation import comparison_text, writer_for  # noqa: PLC0415 - torch is heavy

    writers = [(writer_for(path), path) for path in out or []]
    result = compare_runs(
        runs,
        build=build,
        split=split,
        latency=latency,
        repeats=repeats,
        device=device,
        quiet=quiet,
    )
    for write, path in writers:
        write(result, path)
    if as_json:
        echo_json(result)
    else:
        typer.echo(comparison_text(result))
