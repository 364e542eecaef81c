"""`ferdata detect`: recognize the datasets in a folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json
from ferdata.core.errors import FerdataError

if TYPE_CHECKING:
    from ferdata.ingesters import Layout


_SURE = 0.3
"""Detections below this confidence are listed, but their labels are not read."""


def detect(
    folder: Annotated[Path, typer.Argument(help="The folder, or one slightly above it.")],
    as_json: Json = False,
) -> None:
    """Recognize the datasets in a folder: their layouts, and what they were recognized by.

    The labels of the most likely dataset are read. A warning is printed if the counts per class
    match another dataset, or the same dataset with mixed-up class names. Exits with 1 if no dataset
    is recognized.

    \b
    Examples:
      ferdata detect ~/data/RAF-DB
      ferdata detect ~/data --json
    """
    from ferdata import ingesters  # noqa: PLC0415 - keeps start-up light

    found = ingesters.detect(folder)
    warnings, unreadable = _examine(found)
    if as_json:
        echo_json([_as_json(each, warnings.get(each, [])) for each in found])
    elif found:
        typer.echo("\n".join(_as_text(each, warnings.get(each, [])) for each in found))
        readable = [each for each in found if each not in unreadable]
        if found[0] in readable:
            best = found[0].dataset
            typer.echo(f"\nBuild it: ferdata build {best} --data '{folder}' --out out/{best}")
        for mix in _mixes({each.dataset for each in readable}):
            typer.echo(f"As one:   ferdata build {mix} --data '{folder}' --out out/mix")
    else:
        known = ", ".join(ingesters.dataset_names())
        typer.echo(
            f"{folder}: no dataset recognized (known: {known}; layouts: ferdata datasets NAME)"
        )
    if not found:
        raise typer.Exit(1)


def _mixes(datasets: set[str]) -> list[str]:
    """Return the mixes whose datasets were all found."""
    from ferdata.recipes.mix import load_mix, mix_names  # noqa: PLC0415 - keeps start-up light

    return [name for name in mix_names() if set(load_mix(name).sources) <= datasets]


def _examine(found: list[Layout]) -> tuple[dict[Layout, list[str]], set[Layout]]:
    """Read the most likely dataset in each folder.

    Returns:
        What is suspicious about each, and which can't be read as they are.
    """
    from ferdata import ingesters  # noqa: PLC0415 - keeps start-up light

    likeliest: dict[Path, Layout] = {}
    for each in found:
        likeliest.setdefault(each.root, each)
    logger = logging.getLogger("ferdata")
    level = logger.level
    logger.setLevel(logging.ERROR)  # its warnings are printed with the results
    warnings: dict[Layout, list[str]] = {}
    unreadable: set[Layout] = set()
    try:
        for each in likeliest.values():
            if each.confidence < _SURE:
                continue
            try:
                warnings[each] = ingesters.examine(each)
            except FerdataError as error:
                warnings[each] = [str(error)]
                unreadable.add(each)
    finally:
        logger.setLevel(level)
    return warnings, unreadable


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
