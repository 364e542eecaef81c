"""`ferdata models`: the model files that ferdata uses."""

from __future__ import annotations

import json
from typing import Annotated

import typer

models = typer.Typer(
    name="models",
    help="Fetch and find the model files that ferdata uses.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@models.command()
def fetch(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Download MediaPipe's Face Landmarker (3.8 MB) into the user's cache and check its hash.

    Does nothing where the file is there already; replaces a broken one. Prints the file's path.
    FERDATA_MODEL_DIR names a folder that is looked in first, FERDATA_CACHE_DIR another cache.

    \b
    Examples:
      ferdata models fetch
      FERDATA_MODEL_DIR=/data/models ferdata models path
    """
    from ferdata.faces.detectors.model_file import fetch_model  # noqa: PLC0415 - keep --help quick

    typer.echo(fetch_model(quiet=quiet))


@models.command()
def path(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print name, path, size, sha256 and address as JSON.")
    ] = False,
) -> None:
    """Print where the model file is; exit with 1 where it is not on this machine.

    \b
    Examples:
      ferdata models path
      ferdata models path --json
    """
    from ferdata.faces.detectors.model_file import (  # noqa: PLC0415 - keep --help quick
        FACE_LANDMARKER,
        find_model,
        model_path,
    )

    found = find_model()
    if as_json:
        values = {**vars(FACE_LANDMARKER), "path": str(found) if found else None}
        typer.echo(json.dumps(values, indent=1, sort_keys=True))
    elif found:
        typer.echo(found)
    else:
        typer.echo(
            f"{FACE_LANDMARKER.name} is not at {model_path()}; run `ferdata models fetch`.",
            err=True,
        )
    if found is None:
        raise typer.Exit(1)
