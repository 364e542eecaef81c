"""`ferdata models`: the model files of face detectors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ferdata.faces.detectors.model_file import ModelFile

models = typer.Typer(
    name="models",
    help="List or download the model files of face detectors.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@models.command("list")
def list_files(
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """List the files, where each was found, and where it comes from.

    Files are searched in the folder FERDATA_MODEL_DIR, in the cache (FERDATA_CACHE_DIR sets another
    one), and in installed packages that contain them. Exits with 1 if a file is missing.

    \b
    Examples:
      ferdata models list
      FERDATA_MODEL_DIR=/data/models ferdata models list --json
    """
    listed = []
    for detector, file in _files():
        found = file.find()
        listed.append(
            {
                **vars(file),
                "detector": detector,
                "path": str(found.path) if found else None,
                "origin": found.origin if found else None,
            }
        )
        if not as_json:
            where = (
                f"{found.path} (from {found.origin})"
                if found
                else f"missing. Run: {file.install}, or: ferdata models fetch"
            )
            typer.echo(f"{detector}: {file.name}, {file.size / 1e6:.1f} MB: {where}")
    if as_json:
        typer.echo(json.dumps(listed, indent=1, sort_keys=True))
    if any(entry["path"] is None for entry in listed):
        raise typer.Exit(1)


@models.command()
def fetch(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Download missing files into the cache, and check them.

    Files that are already on this machine are only checked; a damaged file in the cache is
    replaced. Prints the path of each file, and on standard error where it comes from.

    \b
    Examples:
      ferdata models fetch
    """
    for _, file in _files():
        here = file.fetch(quiet=quiet)
        if not quiet and (found := file.find()):
            typer.echo(f"{file.name} is from {found.origin}", err=True)
        typer.echo(here)


def _files() -> list[tuple[str, ModelFile]]:
    """Return every detector's files, with the detector's name."""
    from ferdata.faces.detectors import DETECTORS  # noqa: PLC0415 - keep --help quick

    return [(name, file) for name in DETECTORS for file in DETECTORS.get(name).files]
