"""`ferdata detect`: which datasets a folder holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ferdata.ingest import Detection


def detect(
    folder: Annotated[Path, typer.Argument(help="The folder, or one somewhat above it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say which datasets a folder holds, in which layout, and how that was recognised.

    Exits with 1 when nothing known is there.

    \b
    Examples:
      ferdata detect ~/data/RAF-DB
      ferdata detect ~/data --json
    """
    from ferdata import ingest  # noqa: PLC0415 - keeps start-up light

    found = ingest.detect(folder)
    if as_json:
        typer.echo(json.dumps([_as_json(each) for each in found], indent=1, ensure_ascii=False))
    elif found:
        typer.echo("\n".join(_as_text(each) for each in found))
        best = found[0].dataset
        typer.echo(f"\nBuild it: ferdata build {best} --data '{folder}' --out out/{best}")
    else:
        known = ", ".join(ingest.names())
        typer.echo(f"{folder}: no known dataset (known: {known}; layouts: ferdata datasets NAME)")
    if not found:
        raise typer.Exit(1)


def _as_text(found: Detection) -> str:
    lines = [f"{found.dataset:<18}{found.layout:<20}{found.confidence:>4.0%}  {found.root}"]
    return "\n".join(lines + [f"    {sign}" for sign in found.evidence])


def _as_json(found: Detection) -> dict[str, object]:
    return {
        "dataset": found.dataset,
        "layout": found.layout,
        "confidence": found.confidence,
        "evidence": list(found.evidence),
        "root": str(found.root),
    }
