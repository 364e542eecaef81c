"""`ferdata audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ferdata.audits.options import AuditOptions
from ferdata.cli.flags import Json, Quiet, Workers, flags_of, with_flags
from ferdata.cli.output import echo_json, quieten
from ferdata.core.errors import OptionError
from ferdata.core.options import flag

Audited = Annotated[
    Path | None,
    typer.Argument(help="A manifest, a build, a run, or a folder or table of images with labels."),
]
Against = Annotated[
    Path | None, typer.Option(help="The test set, if PATH is only what is trained on.")
]
Name = Annotated[
    str | None,
    typer.Option("--as", help="What PATH is: a dataset, or the YAML file of a set of your own."),
]
Data = Annotated[Path | None, typer.Option(help="Folder of a manifest's images.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Also write the report: a .json file, or a folder for audit.json."),
]
FailOn = Annotated[
    Literal["error", "warning", "note", "never"],
    typer.Option(help="Exit with 1 if there is a finding of this severity or worse."),
]
ListRules = Annotated[bool, typer.Option("--list-rules", help="List the rules.")]


@with_flags(flags_of(AuditOptions))
def audit(
    given: dict[str, Any],
    path: Audited = None,
    against: Against = None,
    name: Name = None,
    data: Data = None,
    fail_on: FailOn = "error",
    out: Out = None,
    list_rules: ListRules = False,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find what is wrong in anybody's data: leaks, copies, labels, counts, faces, protocol.

    Reads manifests, builds, runs, every dataset that ferdata knows, and any folder or table of
    images with labels; nothing is changed. Each finding says what was measured, why it matters and
    what to do; docs/audit.md explains the rules. Exits with 1 if a finding is at or above
    --fail-on, with 2 if nothing can be read.

    \b
    Examples:
      ferdata audit ~/data/RAF-DB
      ferdata audit ~/data/my-faces --rules leak-copy,leak-subject --out out/audit
      ferdata audit out/rafdb --fail-on warning --json | jq .findings
      ferdata audit ~/data/train --against ~/data/test
      ferdata audit rafdb.parquet --no-images
      ferdata audit out/ckplus --claim 98.99
    """
    if list_rules:
        from ferdata.audits.listing import rules_text  # noqa: PLC0415 - imports all rules

        typer.echo(rules_text())
        return
    if path is None:
        raise OptionError("name what to audit: a manifest, a build, a run, or a folder of images")
    from ferdata.api.audits import audit as run_audit  # noqa: PLC0415 - keeps start-up light
    from ferdata.audits.text import report_text  # noqa: PLC0415

    quieten(quiet=quiet)
    told: dict[str, Any] = {"name": name, "data": data, "out": out, "workers": workers, **given}
    report = run_audit(path, against, **told, quiet=quiet, spelled=flag)
    if as_json:
        echo_json(report)
    else:
        typer.echo(report_text(report, brief=quiet))
    if report.reaches(fail_on):
        raise typer.Exit(1)
