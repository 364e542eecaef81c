"""`ferdata labels`: corrected labels as a list of changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json

labels = typer.Typer(
    name="labels",
    help="Compare the labels of two copies, and write the differences as a patch.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@labels.callback()
def group() -> None:
    """Compare the labels of two copies, and write the differences as a patch."""


@labels.command()
def diff(
    one: Annotated[Path, typer.Argument(help="A build or manifest, whose labels to correct.")],
    other: Annotated[Path, typer.Argument(help="A build or manifest with the right labels.")],
    out: Annotated[Path | None, typer.Option(help="The patch to write, a .json file.")] = None,
    source: Annotated[str, typer.Option(help="Who says so, for the patch.")] = "",
    as_json: Json = False,
) -> None:
    """List the images whose labels differ: by id, path or pixels the same, by label not.

    The patch holds ids, old and new labels and reasons; `ferdata build --labels PATCH` applies it,
    with a check of the old labels. Without --out, exits with 1 if labels differ.

    \b
    Examples:
      ferdata labels diff fer2013.parquet ferplus.parquet --out ferplus.labels.json
      ferdata build fer2013 --data ~/data/fer --labels ferplus.labels.json --out out/corrected
    """
    from ferdata.api.labels import diff_labels  # noqa: PLC0415 - keeps start-up light

    patch = diff_labels(one, other, out=out, source=source)
    pairs = Counter((change.old, change.new or "left out") for change in patch.changes)
    if as_json:
        changes = [{"old": old, "new": new, "images": n} for (old, new), n in pairs.most_common()]
        echo_json({"changes": len(patch.changes), "by_class": changes})
    else:
        typer.echo(f"{len(patch.changes):,} labels differ")
        for (old, new), number in pairs.most_common():
            typer.echo(f"  {number:>7,}  {old} → {new}")
        if out is not None:
            typer.echo(f"Patch: {out}. Apply it: ferdata build … --labels {out}")
    if patch.changes and out is None:
        raise typer.Exit(1)
