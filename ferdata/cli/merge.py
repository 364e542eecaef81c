"""`ferdata merge`: manifests of several datasets as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.sources import Data, parse_data

if TYPE_CHECKING:
    from ferdata.core.manifest import Manifest


def merge(
    mix: Annotated[str, typer.Argument(help="A mix, for instance FER_CK+_KDEF, or its YAML file.")],
    manifests: Annotated[
        list[Path], typer.Argument(help="Manifests of its datasets, from `ferdata ingest`.")
    ],
    out: Annotated[Path, typer.Option(help="The manifest to write, a .parquet file.")],
    data: Data = None,
    seed: Annotated[int, typer.Option(help="Seed of the splits.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")] = False,
) -> None:
    """Merge manifests as a mix says: labels by name, splits by its rules.

    With --data the images are read and hashed, so that duplicates across datasets are found and
    kept out of different splits; without it a warning says that they were not looked for. What was
    left behind is written beside the manifest, as FILE.rejects.parquet.

    \b
    Examples:
      ferdata merge FER_CK+_KDEF fer2013.parquet ckplus.parquet kdef.parquet \\
          --data ~/data --out all.parquet
      ferdata merge my-mix.yaml rafdb.parquet jaffe.parquet --out mixed.parquet
    """
    from ferdata.core.errors import OptionError  # noqa: PLC0415
    from ferdata.core.manifest import save_rejects  # noqa: PLC0415
    from ferdata.core.parallel import default_workers, open_executor  # noqa: PLC0415
    from ferdata.curation.merge import counts_by_dataset  # noqa: PLC0415
    from ferdata.recipes.mix import load_mix  # noqa: PLC0415
    from ferdata.shards.merging import merge_manifests  # noqa: PLC0415 - keeps start-up light
    from ferdata.shards.summary import sources_table  # noqa: PLC0415

    if out.suffix != ".parquet":
        raise OptionError(f"--out {out}: a manifest is a .parquet file; use {out}.parquet")
    wanted = load_mix(mix)
    roots = parse_data(data, tuple(wanted.sources)) if data else None
    count = workers or default_workers()
    with open_executor("processes" if roots else "serial", count if roots else 1) as executor:
        merged = merge_manifests(
            wanted,
            [_load(path) for path in manifests],
            roots,
            seed=seed,
            executor=executor,
            workers=count,
            quiet=quiet,
        )
    rejects = rejects_file(out)
    merged.save(out)
    save_rejects(merged.rejects, rejects)
    if quiet:
        return
    typer.echo(sources_table(counts_by_dataset(merged), merged.label_space.names) + "\n")
    typer.echo(f"{len(merged):,} rows in {out}")
    typer.echo(f"{len(merged.rejects):,} rejects in {rejects}")


def rejects_file(manifest: Path) -> Path:
    """Return where the rejects of a manifest file are."""
    return manifest.with_name(f"{manifest.stem}.rejects.parquet")


def _load(path: Path) -> Manifest:
    """Read a manifest, and its rejects where they lie beside it."""
    from dataclasses import replace  # noqa: PLC0415 - keeps start-up light

    from ferdata.core.manifest import Manifest, load_rejects  # noqa: PLC0415

    manifest = Manifest.load(path)
    beside = rejects_file(path)
    return replace(manifest, rejects=load_rejects(beside)) if beside.is_file() else manifest
