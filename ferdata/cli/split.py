"""`ferdata split`: splits published and compared without publishing an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json

if TYPE_CHECKING:
    from ferdata.curation.split_files.applying import Differences

split = typer.Typer(
    name="split",
    help="Publish a split without its images, or compare one with a copy.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

_Source = Annotated[Path, typer.Argument(help="A build directory, or a manifest (.parquet).")]


@split.command()
def export(
    source: _Source,
    out: Annotated[Path, typer.Option(help="The file to write, NAME.split.json.")],
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="A column to publish too, for instance subject; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write who is where: an id, two short hashes, split or fold, and label of each image.

    No image, path or attribute is in the file. `--split file:NAME.split.json` applies it to another
    copy, in another layout too: rows are found by id, else by their pixels. A split under
    `subject-kfold` is written with all its folds; `file:NAME.split.json@3` tests on the third.

    \b
    Examples:
      ferdata split export out/rafdb --out rafdb-official.split.json
      ferdata build rafdb --data ~/data/kaggle --split file:rafdb-official.split.json
    """
    from ferdata.api.splits import export_split  # noqa: PLC0415 - keeps start-up light

    written = export_split(source, out, attributes=attribute or ())
    said = {"file": str(out), "digest": written.digest, "rows": written.rows,
            "counts": written.counts, "bytes": out.stat().st_size}  # fmt: skip
    if as_json:
        echo_json(said)
        return
    counts = ", ".join(f"{count:,} {part}" for part, count in written.counts.items())
    typer.echo(f"{out}: {written.rows:,} images ({counts}), {out.stat().st_size / 1000:,.0f} kB")
    typer.echo(f"{written.digest}")
    typer.echo(f"Apply it to a copy: ferdata build … --split file:{out}")


@split.command()
def compare(
    file: Annotated[Path, typer.Argument(help="A split file, table, list, array or folder.")],
    source: _Source,
    fold: Annotated[int | None, typer.Option(help="The fold to test on.")] = None,
    as_json: Json = False,
) -> None:
    """List what a copy lacks of a split file, has besides it, and labels otherwise.

    Exits with 1 if they differ.

    \b
    Examples:
      ferdata split compare rafdb-official.split.json out/rafdb
      ferdata split compare rafdb-official.split.json out/rafdb --json | jq .[0].relabeled
    """
    from ferdata.api.splits import compare_split  # noqa: PLC0415 - keeps start-up light

    found = compare_split(file, source, fold=fold)
    if as_json:
        echo_json([each.model_dump(mode="json") for each in found])
    else:
        for each in found:
            typer.echo("\n".join(_lines(each)))
    if any(each.differs for each in found):
        raise typer.Exit(1)


def _lines(found: Differences) -> list[str]:
    by = ", ".join(f"{count:,} by {how}" for how, count in found.matched.items() if count)
    lines = [f"{found.file}: {found.rows:,} images; found {by or 'none'}"]
    lines += [f"  missing    {name}" for name in found.missing]
    lines += [f"  extra      {name}" for name in found.extra]
    lines += [f"  ambiguous  {name}" for name in found.ambiguous]
    lines += [
        f"  relabeled  {each.sample_id}: {each.label}, in the file {each.in_file}"
        for each in found.relabeled
    ]
    return lines
