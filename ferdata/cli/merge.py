"""`ferdata merge`: merge the manifests of several datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.completion import complete_listed
from ferdata.cli.data import Data, parse_data
from ferdata.cli.flags import Quiet, Workers
from ferdata.cli.ingest import require_parquet


def merge(
    mix: Annotated[
        str,
        typer.Argument(
            help="A mix, for instance FER_CK+_KDEF, or its YAML file.",
            autocompletion=complete_listed("ferdata.recipes.mix:mix_names"),
        ),
    ],
    manifests: Annotated[
        list[Path],
        typer.Argument(
            help="Manifests of its datasets, from 'ferdata ingest'.", metavar="MANIFEST"
        ),
    ],
    out: Annotated[Path, typer.Option(help="The manifest to write, a .parquet file.")],
    data: Data = None,
    seed: Annotated[int, typer.Option(help="Random seed of the splits.")] = 0,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Merge manifests as a mix declares: labels by name, splits by its rules.

    With --data the images are read and hashed, so that duplicates across datasets end up in one
    split; without it duplicates are not searched, and a warning is printed. Rejected rows are
    written to FILE.rejects.parquet.

    \b
    Examples:
      ferdata merge FER_CK+_KDEF fer2013.parquet ckplus.parquet kdef.parquet \\
          --data ~/data --out all.parquet
      ferdata merge my-mix.yaml rafdb.parquet jaffe.parquet --out mixed.parquet
    """
    from ferdata.api.sources import merge as merge_all  # noqa: PLC0415 - keeps start-up light
    from ferdata.core.manifest import save_manifest  # noqa: PLC0415
    from ferdata.core.parallel import default_workers  # noqa: PLC0415
    from ferdata.core.rejects import rejects_file  # noqa: PLC0415
    from ferdata.curation.merge import counts_by_dataset  # noqa: PLC0415
    from ferdata.shards.summary import sources_table  # noqa: PLC0415

    require_parquet(out)
    merged = merge_all(
        mix,
        manifests,
        data=parse_data(data),
        seed=seed,
        workers=workers or default_workers(),
        quiet=quiet,
    )
    save_manifest(merged, out)
    if not quiet:
        typer.echo(sources_table(counts_by_dataset(merged), merged.label_space.names) + "\n")
        typer.echo(f"{len(merged):,} rows in {out}")
        typer.echo(f"{len(merged.rejects):,} rejects in {rejects_file(out)}")
