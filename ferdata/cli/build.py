"""`ferdata build`: from a dataset as its authors ship it to shards."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.errors import OptionError

if TYPE_CHECKING:
    from ferdata.build import Execution


def build(
    name: Annotated[str, typer.Argument(help="A dataset; see `ferdata datasets`.")],
    out: Annotated[Path, typer.Option(help="The build directory.")],
    data: Annotated[Path | None, typer.Option(help="The folder that holds the dataset.")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Build from a synthetic copy, drawn into OUT/demo.")
    ] = False,
    demo_scale: Annotated[
        float, typer.Option(help="Size of the synthetic copy; 1 is the real number of images.")
    ] = 0.05,
    source: Annotated[
        str | None, typer.Option(help="Image set where there are several: aligned, original.")
    ] = None,
    augment: Annotated[str, typer.Option(help="none, or balance the classes of train.")] = "none",
    balance_to: Annotated[
        str, typer.Option(help="max, median, a number, or fear=1000,anger=800.")
    ] = "max",
    max_copies: Annotated[
        int | None, typer.Option(help="At most this many copies of one image.")
    ] = None,
    split: Annotated[str, typer.Option(help="official, or stratified:8:1:1.")] = "official",
    validation: Annotated[
        float, typer.Option(help="Share of train for validation where the dataset has none.")
    ] = 0.1,
    duplicates: Annotated[
        str, typer.Option(help="drop the train copy of an image of another split, or keep it.")
    ] = "drop",
    landmarks: Annotated[str, typer.Option(help="auto, dataset, mediapipe or none.")] = "auto",
    require_face: Annotated[
        bool, typer.Option("--require-face", help="Reject images in which no face is found.")
    ] = False,
    blendshapes: Annotated[
        bool, typer.Option("--blendshapes", help="Keep MediaPipe's 52 blendshape scores.")
    ] = False,
    align: Annotated[str, typer.Option(help="auto (photographs only), none or five.")] = "auto",
    size: Annotated[int, typer.Option(help="Side of the output images, pixels.")] = 112,
    margin: Annotated[float, typer.Option(help="Room around an aligned face, share.")] = 0.0,
    color: Annotated[str, typer.Option(help="rgb or gray.")] = "rgb",
    encoding: Annotated[
        str, typer.Option(help="Images in HDF5: raw (fastest to load), jpeg or png.")
    ] = "raw",
    formats: Annotated[str, typer.Option(help="hdf5, hf, or both.")] = "hdf5,hf",
    shard_bytes: Annotated[str, typer.Option(help="Image bytes of one shard.")] = "256MB",
    max_reject_rate: Annotated[
        float, typer.Option(help="Stop when more than this share of rows is rejected.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of every random draw.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core.")] = None,
    executor: Annotated[str, typer.Option(help="serial, processes or dask.")] = "processes",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a build of other options in OUT.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only warnings: no progress, no summary.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Build a dataset: landmarks, splits, balanced classes, HDF5 shards and a Hugging Face dataset.

    Run the same command again after an interruption and it goes on where it stopped. The result
    depends on the data, the options and the seed, never on the number of workers.

    \b
    Examples:
      ferdata build rafdb --demo --augment balance --out out/rafdb
      ferdata build rafdb --data ~/data/RAF-DB --augment balance --out out/rafdb
      ferdata build rafdb --data ~/data/RAF-DB --source original --size 224 --out out/rafdb224
      ferdata build rafdb --data ~/data/RAF-DB --augment balance --balance-to fear=2000 --out out/f
    """
    from ferdata.build import BuildOptions, Execution  # noqa: PLC0415 - keeps start-up light
    from ferdata.build import build as build_dataset  # noqa: PLC0415
    from ferdata.build.options import make_options  # noqa: PLC0415
    from ferdata.build.summary import summary  # noqa: PLC0415
    from ferdata.parallel import default_workers  # noqa: PLC0415

    if quiet:
        logging.getLogger("ferdata").setLevel(logging.WARNING)
    options = make_options(
        BuildOptions,
        {
            "source": source,
            "augment": augment,
            "balance_to": balance_to,
            "max_copies": max_copies,
            "split": split,
            "validation": validation,
            "duplicates": duplicates,
            "landmarks": landmarks,
            "require_face": require_face,
            "blendshapes": blendshapes,
            "align": align,
            "size": size,
            "margin": margin,
            "color": color,
            "encoding": encoding,
            "formats": tuple(word.strip() for word in formats.split(",")),
            "shard_bytes": shard_bytes,
            "max_reject_rate": max_reject_rate,
            "seed": seed,
        },
    )
    execution = make_options(
        Execution,
        {
            "workers": workers or default_workers(),
            "executor": executor,
            "quiet": quiet,
            "overwrite": overwrite,
        },
    )
    try:
        root = _data_root(name, data, out, demo, demo_scale, execution)
        report = build_dataset(name, root, out, options, execution)
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on where it stopped", err=True)
        raise
    if as_json:
        typer.echo(json.dumps(report.record, indent=1, sort_keys=True))
    elif not quiet:
        typer.echo(summary(report))


def _data_root(
    name: str, data: Path | None, out: Path, demo: bool, scale: float, execution: Execution
) -> Path:
    """Return the dataset's folder; draw the synthetic copy where it is asked for."""
    if demo == (data is not None):
        raise OptionError(
            "give either --data DIR, the folder that holds the dataset, or --demo to build from a "
            f"synthetic copy. How to get the real one: ferdata datasets {name}"
        )
    if data is not None:
        return data
    from ferdata.synth import write_demo  # noqa: PLC0415 - only the demo draws

    copy = write_demo(
        name, out / "demo", scale=scale, workers=execution.workers, quiet=execution.quiet
    )
    return copy.root
