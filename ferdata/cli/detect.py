"""`ferdata detect`: which datasets a folder holds."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ferdata.ingesters import Layout


_SURE = 0.3
"""Detections below this confidence are mentioned and not read."""


def detect(
    folder: Annotated[Path, typer.Argument(help="The folder, or one somewhat above it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say which datasets a folder holds, in which layout, and how that was recognized.

    The labels of the surest one are read, and a warning is given when their counts per class are
    those of another dataset, or its own under mixed-up names. Exits with 1 when nothing known is
    there.

    \b
    Examples:
      ferdata detect ~/data/RAF-DB
      ferdata detect ~/data --json
    """
    from ferdata import ingesters  # noqa: PLC0415 - keeps start-up light

    found = ingesters.detect(folder)
    warnings = _examine(found)
    if as_json:
        values = [_as_json(each, warnings.get(each, [])) for each in found]
        typer.echo(json.dumps(values, indent=1, ensure_ascii=False))
    elif found:
        typer.echo("\n".join(_as_text(each, warnings.get(each, [])) for each in found))
        best = found[0].dataset
        typer.echo(f"\nBuild it: ferdata build {best} --data '{folder}' --out out/{best}")
        for mix in _mixes({each.dataset for each in found}):
            typer.echo(f"As one:   ferdata build {mix} --data '{folder}' --out out/mix")
    else:
        known = ", ".join(ingesters.dataset_names())
        typer.echo(f"{folder}: no known dataset (known: {known}; layouts: ferdata datasets NAME)")
    if not found:
        raise typer.Exit(1)


def _mixes(datasets: set[str]) -> list[str]:
    """Return the mixes whose datasets are all there."""
    from ferdata.recipes.mix import load_mix, mix_names  # noqa: PLC0415 - keeps start-up light

    return [name for name in mix_names() if set(load_mix(name).sources) <= datasets]


def _examine(found: list[Layout]) -> dict[Layout, list[str]]:
    """Return what is suspicious about the surest copy of each folder."""
    from ferdata import ingesters  # noqa: PLC0415 - keeps start-up light

    surest: dict[Path, Layout] = {}
    for each in found:
        surest.setdefault(each.root, each)
    logger = logging.getLogger("ferdata")
    level = logger.level
    logger.setLevel(logging.ERROR)  # one answer, not the warnings of an ingest
    try:
        return {
            each: ingesters.examine(each) for each in surest.values() if each.confidence >= _SURE
        }
    finally:
        logger.setLevel(level)


def _as_text(found: Layout, warnings: list[str]) -> str:
    lines = [f"{found.dataset:<18}{found.name:<20}{found.confidence:>4.0%}  {found.root}"]
    lines += [f"    {sign}" for sign in found.evidence]
    return "\n".join(lines + [f"    WARNING {warning}" for warning in warnings])


def _as_json(found: Layout, warnings: list[str]) -> dict[str, object]:
    return {
        "dataset": found.dataset,
        "layout": found.name,
        "confidence": found.confidence,
        "evidence": list(found.evidence),
        "warnings": warnings,
        "root": str(found.root),
    }
