"""`ferdata view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ferdata.cli.flags import flags_of, with_flags
from ferdata.core.options import flag
from ferdata.viewer.options import ViewOptions


@with_flags(flags_of(ViewOptions))
def view(
    given: dict[str, Any],
    path: Annotated[
        Path, typer.Argument(help="Folder of a build or a training run, or an audit (audit.json).")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The label patch that marks are saved to. [default: marks.json]"),
    ] = None,
) -> None:
    """Look at images in the browser: filter, compare with copies, find similar ones, mark.

    The page is served from this machine to this machine, until Ctrl-C; its address has a secret
    token. Nothing is changed. Marks, another label or "leave out", are saved as a label patch,
    which `ferdata build --labels` takes. A patch that is there is continued. Needs pip install
    'ferdata[view]'.

    \b
    Examples:
      ferdata view out/rafdb
      ferdata view runs/rafdb-regnetx_002 --out corrections.json
      ferdata view audit.json --port 8000 --no-open
    """
    from ferdata.api.viewing import view as serve  # noqa: PLC0415 - keeps start-up light

    serve(path, out=out, announce=typer.echo, spelled=flag, **given)
