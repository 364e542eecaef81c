"""`ferdata audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ferdata.audits.options import AuditOptions
from ferdata.cli.flags import Json, Quiet, Workers, flags_of, with_flags
from ferdata.cli.output import echo_json, quieten


@with_flags(flags_of(AuditOptions))
def audit(
    given: dict[str, Any],
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A manifest, a build, a run, or a folder or table of images with labels."
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="The test set, if PATH is only what is trained on."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--as", help="What PATH is: a dataset, or the YAML file of a set of your own."
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of a manifest's images.")] = None,
    fail_on: Annotated[
        Literal["error", "warning", "note", "never"],
        typer.Option(help="Exit with 1 if there is a finding of this severity or worse."),
    ] = "error",
    out: Annotated[
        Path | None,
        typer.Option(help="Also write the report: a .json file, or a folder for audit.json."),
    ] = None,
    list_rules: Annotated[bool, typer.Option("--list-rules", help="List the rules.")] = False,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find what is wrong in anybody's data: leaks, copies, labels, counts, faces, protocol.

    Reads manifests, builds, runs, every dataset that ferdata knows, and any folder or table of
    images with labels; nothing is changed. Each finding says what was measured, why it matters and
    what to do. docs/audit.md explains the rules. Exits with 1 if a finding is at or above
    --fail-on, with 2 if nothing can be read.

    \b
    Examples:
      ferdata audit ~/data/RAF-DB
      ferdata audit ~/data/my-faces --rules leak-copy,leak-subject --out out/audit
      ferdata audit out/rafdb --fail-on warning --json | jq .findings
      ferdata audit ~/data/train --against ~/data/test
      ferdata audit rafdb.parquet --no-images
      ferdata audit out/ckplus --claim 98.99
      ferdata audit runs/rafdb-lmfer --claim 5.2M
    """
    from ferdata.api.audits import audit as run_audit  # noqa: PLC0415 - keeps start-up light
    from ferdata.audits.text import report_text  # noqa: PLC0415
    from ferdata.core.errors import OptionError  # noqa: PLC0415
    from ferdata.core.options import flag  # noqa: PLC0415

    if list_rules:
        from ferdata.audits.listing import rules_text  # noqa: PLC0415

        typer.echo(rules_text())
        return
    if path is None:
        raise OptionError("name what to audit: a manifest, a build, a run, or a folder of images")
    quieten(quiet=quiet)
    report = run_audit(
        path,
        against,
        name=name,
        data=data,
        out=out,
        workers=workers,
        quiet=quiet,
        spelled=flag,
        **given,
    )
    if as_json:
        echo_json(report)
    else:
        typer.echo(report_text(report, brief=quiet))
    if report.reaches(fail_on):
        raise typer.Exit(1)
