"""`ferdata detect`: recognize the datasets in a folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json
from ferdata.core.errors import FerdataError, OptionError
from ferdata.core.files import write_atomically

if TYPE_CHECKING:
    from ferdata.ingesters import Layout


_SURE = 0.3
"""Detections below this confidence are listed, but their labels are not read."""

_PROOF = 0.4
"""A detection below this confidence may as well be a set of one's own."""


def detect(
    folder: Annotated[Path, typer.Argument(help="The folder, or one slightly above it.")],
    write: Annotated[
        Path | None,
        typer.Option(help="Draft the declaration of a set of your own into this YAML file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Recognize the datasets in a folder: their layouts, and what they were recognized by.

    The labels of the most likely dataset are read. A warning is printed if the counts per class
    match another dataset, or the same dataset with mixed-up class names. An unknown folder is
    described, as the declaration that --write drafts would read it. Exits with 1 if no dataset is
    recognized.

    \b
    Examples:
      ferdata detect ~/data/RAF-DB
      ferdata detect ~/data --json
      ferdata detect ~/data/my-faces --write my.yaml
    """
    from ferdata import ingesters  # noqa: PLC0415 - keeps start-up light

    if write is not None:
        _write_draft(folder, write)
        return
    found = ingesters.detect(folder)
    warnings, unreadable = _examine(found)
    if as_json:
        echo_json([_as_json(each, warnings.get(each, [])) for each in found])
    elif found:
        typer.echo("\n".join(_as_text(each, warnings.get(each, [])) for each in found))
        if found[0].confidence < _PROOF:
            _describe(folder)
            return
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
        _describe(folder)
    if not found:
        raise typer.Exit(1)


def _describe(folder: Path) -> None:
    """Say what an unknown folder seems to hold, and how to read it as a set of one's own."""
    from ferdata.ingesters.declared.draft import draft_declaration  # noqa: PLC0415 - loads cv2

    if (draft := draft_declaration(folder)) is None:
        return
    typer.echo("\nRead as a set of your own:")
    typer.echo("\n".join(f"    {each}" for each in draft.description))
    typer.echo(f"Draft its declaration: ferdata detect '{folder}' --write my.yaml")


def _write_draft(folder: Path, out: Path) -> None:
    """Draft the declaration of a folder.

    Raises:
        OptionError: The file exists or is no YAML file, or the folder shows nothing to declare.
    """
    from ferdata.core.yaml_files import is_file_name  # noqa: PLC0415 - keeps start-up light
    from ferdata.ingesters.declared.draft import draft_declaration  # noqa: PLC0415 - loads cv2

    if not is_file_name(str(out)):
        raise OptionError(f"--write {out}: a declaration is a .yaml file")
    if out.exists():
        raise OptionError(f"--write {out}: exists already; give another file, or remove it")
    draft = draft_declaration(folder)
    if draft is None:
        raise OptionError(
            f"{folder}: no class folders, and no table or arrays with images and labels; declare "
            "it by hand with images: or table:, or convert it to one of these"
        )
    with write_atomically(out) as file:
        file.write(draft.text.encode())
    typer.echo("\n".join(f"{each}" for each in draft.description))
    typer.echo(f"\n{draft.text}")
    typer.echo(f"Check {out}, then: ferdata build {out} --data '{folder}' --out out/my")


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
