"""`ferdata compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.train import Device
from ferdata.core.errors import MissingExtraError


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.", metavar="RUN")],
    build: Annotated[
        Path | None,
        typer.Option(help="Build to score all runs on [default: the one each was trained on]."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split to score on.")] = "test",
    latency: Annotated[
        bool, typer.Option("--latency/--no-latency", help="Time forward passes, too.")
    ] = True,
    repeats: Annotated[int, typer.Option(min=1, help="Passes to time for each batch size.")] = 20,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="Write it too, as FILE.md, .csv, .json or .png; may be repeated."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Set trained models side by side: scores, size, arithmetic, speed, the papers' claims.

    Every score is of one split and has its number of images and 95 % interval. What a paper claims
    stands in a table of its own and is not measured. Runs that were not scored on the split yet
    are evaluated, as by `ferdata eval`; unfinished runs are skipped and listed.

    \b
    Examples:
      ferdata compare runs/rafdb-lmfer runs/rafdb-ctan
      ferdata compare runs/* --build out/rafdb --no-latency --out table.md --out table.png
      ferdata compare runs/* --split validation --json
    """
    try:
        from ferdata.evaluation import (  # noqa: PLC0415 - torch, timm and Lightning are heavy
            comparison,
            comparison_tables,
        )
    except ImportError as error:
        raise MissingExtraError("comparison", "train", error) from error

    writers = [(comparison_tables.writer_for(path), path) for path in out or []]
    result = comparison.compare(
        runs,
        build,
        split,
        latency=latency,
        repeats=repeats,
        device=device.value,
        quiet=quiet,
    )
    for write, path in writers:
        write(result, path)
    if as_json:
        typer.echo(json.dumps(result.model_dump(mode="json"), indent=1))
    else:
        typer.echo(comparison_tables.comparison_text(result))
