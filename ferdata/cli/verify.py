"""`ferdata verify`: is a build what it was when it was finished?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def verify(
    build: Annotated[Path, typer.Argument(help="A build directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress; print differences only.")
    ] = False,
) -> None:
    """Check every file of a build against its hash, and every row against the manifest.

    Prints each difference with the file's name and exits with 1 if there is one; 0 if all is well,
    2 if the folder is no finished build.

    \b
    Examples:
      ferdata verify out/rafdb
      ferdata verify out/rafdb --json | jq .findings
    """
    from ferdata.shards.verify import verify as verify_build  # noqa: PLC0415 - light start-up
    from ferdata.shards.verify_report import describe  # noqa: PLC0415

    report = verify_build(build, quiet=quiet)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=1, ensure_ascii=False))
    elif not (quiet and report.ok):
        for line in describe(report):
            typer.echo(line)
    if not report.ok:
        raise typer.Exit(1)
