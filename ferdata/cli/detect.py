"""`ferdata detect`: recognize the datasets in a folder."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json
from ferdata.core.errors import OptionError
from ferdata.core.files import write_atomically

if TYPE_CHECKING:
    from ferdata.ingesters import Layout
    from ferdata.ingesters.stage import Examination


def detect(
    folder: Annotated[Path, typer.Argument(help="The folder, or one slightly above it.")],
    write: Annotated[
        Path | None,
        typer.Option(help="Draft the declaration of a set of your own into this YAML file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Recognize the datasets in a folder: their layouts, and what they were recognized by.

    The labels of the most likely dataset are read as a build would, so that `Build it` stands only
    under what can be built. An unknown folder is described, as the declaration that --write drafts
    would read it. Exits with 1 if no dataset is recognized.

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
    examined = _examine(found)
    if as_json:
        echo_json([_as_json(each, examined.get(each)) for each in found])
    elif found:
        typer.echo("\n".join(_as_text(each, examined.get(each)) for each in found))
        typer.echo("\n".join(["", *_next_steps(folder, found, examined)]))
    else:
        typer.echo("\n".join(_nothing(folder)))
    if not found:
        raise typer.Exit(1)


def _next_steps(
    folder: Path, found: list[Layout], examined: dict[Layout, Examination]
) -> list[str]:
    """Say how to build what was found, if it can be built."""
    best = found[0]
    rivals = [
        f"{each.dataset} ({each.name})"
        for each in found
        if each.confidence == best.confidence and each.dataset != best.dataset
    ]
    lines = []
    if rivals:
        lines.append(f"As much speaks for {', '.join(rivals)} as for {best.dataset}.")
    if problem := _problem(best, examined[best]):
        return [*lines, f"It can't be built as it is: {problem}"]
    data = shlex.quote(str(folder))
    lines.append(f"Build it: ferdata build {best.dataset} --data {data} --out out/{best.dataset}")
    whole = {each.dataset for each in found if not each.missing}
    for mix in _mixes(whole):
        lines.append(f"As one:   ferdata build {mix} --data {data} --out out/mix")
    return lines


def _problem(best: Layout, seen: Examination) -> str:
    """Say why `ferdata build` without options would refuse a copy; empty if it would not."""
    from ferdata.shards.options import BuildOptions  # noqa: PLC0415 - keeps start-up light

    if best.missing or seen.error:
        return best.missing or "see the error above."
    allowed = BuildOptions.model_fields["max_reject_rate"].default
    if seen.rejected <= allowed:
        return ""
    lost = sum(seen.rejects.values())
    kinds = ", ".join(f"{number:,} × {kind}" for kind, number in seen.rejects.items())
    return (
        f"{lost:,} of {lost + seen.rows:,} images would be rejected ({kinds}), more than "
        f"--max-reject-rate {allowed} allows. Raise it to build the other {seen.rows:,}."
    )


def _nothing(folder: Path) -> list[str]:
    """Say that a folder is no known dataset, how to read it as one's own, and what to extract."""
    from ferdata import ingesters  # noqa: PLC0415 - keeps start-up light
    from ferdata.ingesters.declared.draft import draft_declaration  # noqa: PLC0415 - loads cv2
    from ferdata.ingesters.tree import FileTree, extract_command  # noqa: PLC0415

    known = ", ".join(ingesters.dataset_names())
    lines = [f"{folder}: no dataset recognized (known: {known}; layouts: ferdata datasets NAME)"]
    if archives := FileTree.scan(folder).archives():
        lines.append(f"\nIt contains {', '.join(archives[:3])}. Extract it first:")
        lines += [f"    {extract_command(folder / each)}" for each in archives[:3]]
    if draft := draft_declaration(folder):
        lines.append("\nRead as a set of your own:")
        lines += [f"    {each}" for each in draft.description]
        data = shlex.quote(str(folder))
        lines.append(f"Draft its declaration: ferdata detect {data} --write my.yaml")
    return lines


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
    data = shlex.quote(str(folder))
    typer.echo(f"Check {out}, then: ferdata build {out} --data {data} --out out/my")


def _mixes(datasets: set[str]) -> list[str]:
    """Return the mixes whose datasets were all found."""
    from ferdata.recipes.mix import load_mix, mix_names  # noqa: PLC0415 - keeps start-up light

    return [name for name in mix_names() if set(load_mix(name).sources) <= datasets]


def _examine(found: list[Layout]) -> dict[Layout, Examination]:
    """Read the labels of the most likely dataset in each folder, and of the best of all."""
    from ferdata.ingesters.stage import examine  # noqa: PLC0415 - keeps start-up light

    likeliest: dict[Path, Layout] = {}
    for each in found:
        likeliest.setdefault(each.root, each)
    logger = logging.getLogger("ferdata")
    level = logger.level
    logger.setLevel(logging.ERROR)  # its warnings are printed with the results
    try:
        return {each: examine(each) for each in likeliest.values()}
    finally:
        logger.setLevel(level)


def _as_text(found: Layout, seen: Examination | None) -> str:
    lines = [f"{found.dataset:<18}{found.name:<20}{found.confidence:>4.0%}  {found.root}"]
    lines += [f"    {sign}" for sign in found.evidence]
    if found.missing:
        lines.append(f"    INCOMPLETE {found.missing}")
    if seen:
        lines += [f"    {decision}" for decision in found.decisions]
        lines += [f"    WARNING {warning}" for warning in seen.warnings]
    if seen and seen.error and not found.missing:
        lines.append(f"    ERROR {seen.error}")
    return "\n".join(lines)


def _as_json(found: Layout, seen: Examination | None) -> dict[str, object]:
    return {
        "dataset": found.dataset,
        "layout": found.name,
        "confidence": found.confidence,
        "evidence": list(found.evidence),
        "missing": found.missing,
        "decisions": list(found.decisions),
        "warnings": list(seen.warnings) if seen else [],
        "error": seen.error if seen else "",
        "rows": seen.rows if seen else None,
        "rejects": dict(seen.rejects) if seen else {},
        "root": str(found.root),
    }
