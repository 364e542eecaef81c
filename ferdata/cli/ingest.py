"""`ferdata ingest`: only the manifest of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.merge import rejects_file
from ferdata.cli.sources import (
    Classes,
    EvalLabelRule,
    Frames,
    LabelRule,
    LabelSource,
    Poses,
    Source,
    given_choices,
)

if TYPE_CHECKING:
    from ferdata.core.manifest import Manifest


def ingest(
    name: Annotated[str, typer.Argument(help="The dataset, for instance rafdb.")],
    data: Annotated[Path, typer.Option("--data", help="The folder that holds the dataset.")],
    out: Annotated[Path, typer.Option("--out", help="The manifest to write, a .parquet file.")],
    source: Source = None,
    label_rule: LabelRule = None,
    eval_label_rule: EvalLabelRule = None,
    frames: Frames = None,
    poses: Poses = None,
    classes: Classes = None,
    label_source: LabelSource = None,
) -> None:
    """Read a dataset's labels and annotation into a manifest; no pixel is touched.

    What could not be read is written beside it, as FILE.rejects.parquet, with the reasons.

    \b
    Examples:
      ferdata ingest rafdb --data ~/data/RAF-DB --out rafdb.parquet
      ferdata ingest rafdb --data ~/data/RAF-DB --source original --out rafdb.parquet
      ferdata ingest kdef --data ~/data/KDEF_and_AKDEF --poses half --out kdef.parquet
      ferdata ingest ferplus --data ~/data/fer --label-rule crossentropy --out ferplus.parquet
    """
    from ferdata.core.errors import OptionError  # noqa: PLC0415 - keeps start-up light
    from ferdata.core.manifest import save_rejects  # noqa: PLC0415
    from ferdata.ingesters import ingest as read  # noqa: PLC0415

    if out.suffix != ".parquet":
        raise OptionError(f"--out {out}: a manifest is a .parquet file; use {out}.parquet")
    choices = given_choices(
        label_rule=label_rule,
        eval_label_rule=eval_label_rule,
        frames=frames,
        poses=poses,
        classes=classes,
        label_source=label_source,
    )
    manifest = read(name, data, source=source, **choices)
    rejects = rejects_file(out)
    manifest.save(out)
    save_rejects(manifest.rejects, rejects)
    typer.echo(_counts(manifest))
    typer.echo(f"{len(manifest):,} rows in {out}")
    typer.echo(f"{len(manifest.rejects):,} rejects in {rejects}")


def _counts(manifest: Manifest) -> str:
    """Lay the counts per class and official split out in columns."""
    from ferdata.ingesters.count_checks import official_counts  # noqa: PLC0415 - keeps start-up light

    counts = official_counts(manifest)
    splits = sorted(counts, key=lambda split: (split != "train", split != "validation", split))
    width = max(map(len, manifest.label_space.names)) + 2
    lines = [f"{'class':<{width}}" + "".join(f"{split:>12}" for split in splits)]
    for label in manifest.label_space.names:
        numbers = "".join(f"{counts[split][label]:>12,}" for split in splits)
        lines.append(f"{label:<{width}}{numbers}")
    totals = "".join(f"{sum(counts[split].values()):>12,}" for split in splits)
    return "\n".join([*lines, f"{'all':<{width}}{totals}"])
