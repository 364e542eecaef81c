"""`ferdata demo`: draw a synthetic copy of a dataset, or a contact sheet of drawn faces."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.completion import complete_listed
from ferdata.cli.flags import Json, Quiet, Workers
from ferdata.cli.output import echo_json
from ferdata.core.errors import OptionError

if TYPE_CHECKING:
    from ferdata.ingesters.demo import DemoCopy

Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Datasets to copy; see 'ferdata datasets'.",
        metavar="NAME",
        autocompletion=complete_listed("ferdata.ingesters.lookup:dataset_names"),
    ),
]


def demo(
    names: Names = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the copy, new or empty.")] = None,
    layout: Annotated[
        str | None, typer.Option(help="Layout, for instance official or kaggle.")
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Size as a fraction of the real dataset's, up to 1.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Random seed; another seed draws other faces.")] = 0,
    workers: Workers = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write a PNG with examples of the eight expressions.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a synthetic copy of a dataset, with its layout, file names and class proportions.

    Use it in place of data that you don't have yet; the faces are drawn and show no real person.
    An existing complete copy with the same options is kept. With several names, each copy gets its
    own folder inside --out.

    \b
    Examples:
      ferdata demo rafdb --out data/rafdb-demo
      ferdata demo rafdb --out data/rafdb-full --scale 1 --workers 4
      ferdata demo rafdb --out data/rafdb-kaggle --layout kaggle
      ferdata demo --sheet faces.png
    """
    from ferdata.core.parallel import default_workers  # noqa: PLC0415 - keeps start-up light
    from ferdata.ingesters.demo import write_demo  # noqa: PLC0415 - keeps start-up light
    from ferdata.synth import write_sheet  # noqa: PLC0415 - keeps start-up light

    if not names and sheet is None:
        raise OptionError("name a dataset (ferdata demo rafdb --out DIR) or pass --sheet FILE.png")
    if names and out is None:
        raise OptionError("--out is missing: pass the folder to write the copy into")
    if sheet is not None:
        write_sheet(sheet, seed=seed)
        typer.echo(f"contact sheet: {sheet}", err=as_json)
    draw = partial(
        write_demo,
        layout=layout,
        scale=scale,
        seed=seed,
        workers=workers or default_workers(),
        quiet=quiet,
    )
    copies = [draw(name, folder) for name, folder in _folders(names or [], out or Path())]
    if as_json:
        echo_json([_as_json(copy) for copy in copies])
    else:
        for copy in copies:
            typer.echo(_describe(copy))


def _folders(names: list[str], out: Path) -> list[tuple[str, Path]]:
    """Return each dataset's folder: `out` itself for one, a folder inside it for several."""
    if len(names) == 1:
        return [(names[0], out)]
    return [(name, out / name) for name in names]


def _as_json(copy: DemoCopy) -> dict[str, object]:
    return {
        "name": copy.name,
        "root": str(copy.root),
        "layout": copy.layout,
        "scale": copy.scale,
        "seed": copy.seed,
        "counts": copy.counts,
        "written": copy.written,
    }


def _describe(copy: DemoCopy) -> str:
    """Return what a copy contains, where it is, and the next command."""
    from ferdata.core.tables import text_table  # noqa: PLC0415 - keeps start-up light

    state = "drawn" if copy.written else "already complete"
    labels = sorted({label for counts in copy.counts.values() for label in counts})
    by_split = copy.counts.values()
    rows = [[label, *(f"{counts.get(label, 0):,}" for counts in by_split)] for label in labels]
    rows.append(["total", *(f"{sum(counts.values()):,}" for counts in by_split)])
    root = shlex.quote(str(copy.root))
    options = "".join(f" --{name} {value}" for name, value in copy.choices.items())
    return "\n".join(
        [
            f"{copy.name}: {copy.total:,} synthetic images, layout {copy.layout}, {state}",
            "",
            text_table(["", *copy.counts], rows, indent=2),
            "",
            f"Where: {copy.root}",
            f"Next:  ferdata build {copy.name} --data {root}{options} --out out/"
            f"{Path(copy.name).stem}",
        ]
    )
