"""`ferdata report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ferdata.cli.flags import flags_of, with_flags
from ferdata.reports.options import ReportOptions


@with_flags(flags_of(ReportOptions))
def report(
    given: dict[str, Any],
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Folders of builds and training runs, and audits (audit.json)."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The HTML file. [default: report.html in the folder; of several paths, in the "
            "working directory]"
        ),
    ] = None,
) -> None:
    """Write one HTML file about builds, training runs and audits, to read and to share.

    The file needs no network and no script. It shows the way of the data, counts, samples with
    landmarks, copies, mean faces, rejects, duplicates, findings, attributes; of a run its curves,
    scores, calibration and worst mistakes; and it holds every number as JSON.

    \b
    Examples:
      ferdata report out/rafdb
      ferdata report out/rafdb runs/rafdb-regnetx_002 audit.json --out report.html
      ferdata report out/rafdb --no-faces
    """
    from ferdata.api.pages import report as write  # noqa: PLC0415 - keeps start-up light

    typer.echo(write(paths, out=out, **given))
