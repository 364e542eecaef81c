"""`ferdata verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.flags import Json, Quiet
from ferdata.cli.output import echo_json


def verify(
    build: Annotated[Path, typer.Argument(help="The build directory.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every file of a build against its hash, and every row against the manifest.

    Prints each difference with its file. Exit code: 0 if there is none, 1 if there is one, 2 if the
    folder is not a finished build.

    \b
    Examples:
      ferdata verify out/rafdb
      ferdata verify out/rafdb --json | jq .findings
    """
    from ferdata.api.builds import verify as verify_build  # noqa: PLC0415 - keeps start-up light
    from ferdata.shards.verify_report import describe  # noqa: PLC0415

    report = verify_build(build, quiet=quiet)
    if as_json:
        echo_json(report.to_json())
    elif not (quiet and report.ok):
        for line in describe(report):
            typer.echo(line)
    if not report.ok:
        raise typer.Exit(1)
