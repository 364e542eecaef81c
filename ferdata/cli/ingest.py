"""`ferdata ingest`: the manifest of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferdata.cli.choices import choice_flags
from ferdata.cli.completion import complete_listed
from ferdata.cli.flags import with_flags
from ferdata.core.errors import OptionError

if TYPE_CHECKING:
    from ferdata.core.manifest import Manifest


@with_flags(choice_flags())
def ingest(
    given: dict[str, Any],
    name: Annotated[
        str,
        typer.Argument(
            help="The dataset, for instance rafdb, or the YAML file of a set of your own.",
            autocompletion=complete_listed("ferdata.ingesters.lookup:dataset_names"),
        ),
    ],
    data: Annotated[Path, typer.Option("--data", help="Folder of the dataset.")],
    out: Annotated[Path, typer.Option("--out", help="The manifest to write, a .parquet file.")],
    source: Annotated[
        str | None,
        typer.Option(
            help="Which images to read of a dataset that ships several sets: aligned, original, …"
        ),
    ] = None,
) -> None:
    """Read a dataset's labels and annotations into a manifest, without opening images.

    Rejected rows are written to FILE.rejects.parquet, each with its reason.

    \b
    Examples:
      ferdata ingest rafdb --data ~/data/RAF-DB --out rafdb.parquet
      ferdata ingest rafdb --data ~/data/RAF-DB --source original --out rafdb.parquet
      ferdata ingest my.yaml --data ~/data/my-faces --out my.parquet
      ferdata ingest kdef --data ~/data/KDEF_and_AKDEF --poses half --out kdef.parquet
      ferdata ingest ferplus --data ~/data/fer --label-rule crossentropy --out ferplus.parquet
    """
    from ferdata.api.sources import ingest as read  # noqa: PLC0415 - keeps start-up light
    from ferdata.core.manifest import save_manifest  # noqa: PLC0415
    from ferdata.core.rejects import rejects_file  # noqa: PLC0415

    require_parquet(out)
    manifest = read(name, data, source=source, **given.get("choices", {}))
    save_manifest(manifest, out)
    typer.echo(_counts(manifest))
    typer.echo(f"{len(manifest):,} rows in {out}")
    typer.echo(f"{len(manifest.rejects):,} rejects in {rejects_file(out)}")
    ignored = manifest.provenance["ingest"]["ignored"]
    typer.echo(f"{manifest.provenance['ingest']['read']:,} files of labels and annotation read")
    listed = ", ".join(f"{count:,} {rule}" for rule, count in ignored.items())
    typer.echo(f"{sum(ignored.values()):,} files ignored{f': {listed}' if listed else ''}")


def require_parquet(out: Path) -> None:
    """Check that the file of a manifest ends in `.parquet`.

    Raises:
        OptionError: It does not.
    """
    if out.suffix != ".parquet":
        raise OptionError(f"--out {out}: a manifest is a .parquet file; use {out}.parquet")


def _counts(manifest: Manifest) -> str:
    """Return a table of the counts per class and official split."""
    from ferdata.core.tables import text_table  # noqa: PLC0415 - keeps start-up light
    from ferdata.ingesters.count_checks import official_counts  # noqa: PLC0415

    counts = official_counts(manifest)
    splits = sorted(counts, key=lambda split: (split != "train", split != "validation", split))
    rows = [
        [label, *(f"{counts[split][label]:,}" for split in splits)]
        for label in manifest.label_space.names
    ]
    rows.append(["all", *(f"{sum(counts[split].values()):,}" for split in splits)])
    return text_table(["class", *splits], rows)
