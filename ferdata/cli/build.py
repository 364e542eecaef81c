"""`ferdata build`: from a dataset as its authors ship it to shards."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferdata.cli.sources import (
    Classes,
    Data,
    EvalLabelRule,
    Frames,
    LabelRule,
    LabelSource,
    Poses,
    Source,
    given_choices,
    parse_data,
)
from ferdata.core.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ferdata.shards import Execution
    from ferdata.shards.sources import Source as BuildSource


def build(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(help="A dataset, a mix, or a mix's YAML file; see `ferdata datasets`."),
    ],
    out: Annotated[Path, typer.Option(help="The build directory.")],
    data: Data = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Build from a synthetic copy, drawn into OUT/demo.")
    ] = False,
    demo_scale: Annotated[
        float, typer.Option(help="Size of the synthetic copy; 1 is the real number of images.")
    ] = 0.05,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A paper's recipe, by name or a YAML file; options given here come first. See "
            "`ferdata recipes`.",
            metavar="NAME|FILE",
            show_default=False,
        ),
    ] = None,
    leak_free: Annotated[
        bool,
        typer.Option(
            "--leak-free", help="The recipe without its leaks: split first, groups kept together."
        ),
    ] = False,
    source: Source = None,
    label_rule: LabelRule = None,
    eval_label_rule: EvalLabelRule = None,
    frames: Frames = None,
    poses: Poses = None,
    classes: Classes = None,
    label_source: LabelSource = None,
    augment: Annotated[str, typer.Option(help="none, or balance the classes of train.")] = "none",
    balance_to: Annotated[
        str, typer.Option(help="max, median, a number, or fear=1000,anger=800.")
    ] = "max",
    max_copies: Annotated[
        int | None, typer.Option(help="At most this many copies of one image.")
    ] = None,
    operations: Annotated[
        Path | None,
        typer.Option(
            help="Your own list of operations for the copies, a YAML file.", show_default=False
        ),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            help="auto (the authors', else by subject), official, subject:8:1:1, "
            "subject-kfold:10:FOLD, stratified:8:1:1, or NAME=RULE,… for several datasets."
        ),
    ] = "auto",
    allow_group_leak: Annotated[
        bool,
        typer.Option(
            "--allow-group-leak",
            help="Draw rows of stratified rules one by one: people and sequences are in several "
            "splits.",
        ),
    ] = False,
    validation: Annotated[
        float, typer.Option(help="Share of train for validation where the dataset has none.")
    ] = 0.1,
    duplicates: Annotated[
        str, typer.Option(help="drop the train copy of an image of another split, or keep it.")
    ] = "drop",
    near_duplicates: Annotated[
        int | None,
        typer.Option(
            help="Pictures whose perceptual hashes differ by this many of 256 bits, up to 15, are "
            "duplicates too.",
            show_default="off; 12 in the mixes",
        ),
    ] = None,
    landmarks: Annotated[
        str, typer.Option(help="auto, dataset, none, or the name of a detector.")
    ] = "auto",
    require_face: Annotated[
        bool, typer.Option("--require-face", help="Reject images in which no face is found.")
    ] = False,
    blendshapes: Annotated[
        bool, typer.Option("--blendshapes", help="Keep the detector's blendshape scores.")
    ] = False,
    align: Annotated[str, typer.Option(help="auto (photographs only), none or five.")] = "auto",
    size: Annotated[int, typer.Option(help="Side of the output images, pixels.")] = 112,
    margin: Annotated[float, typer.Option(help="Room around an aligned face, share.")] = 0.0,
    equalize: Annotated[
        bool, typer.Option("--equalize", help="Equalize the histogram of each image's luminance.")
    ] = False,
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
    """Build a dataset or a mix: landmarks, splits, balanced classes, HDF5 and Hugging Face shards.

    Run the same command again after an interruption and it goes on where it stopped. The result
    depends on the data, the options and the seed, never on the number of workers.

    \b
    Examples:
      ferdata build rafdb --demo --augment balance --out out/rafdb
      ferdata build rafdb --data ~/data/RAF-DB --augment balance --out out/rafdb
      ferdata build rafdb --data ~/data/RAF-DB --source original --size 224 --out out/rafdb224
      ferdata build rafdb --data ~/data/RAF-DB --augment balance --balance-to fear=2000 --out out/f
      ferdata build ckplus --data ~/data/CK+ --frames last3 --split subject-kfold:10:1 --out out/ck1
      ferdata build rafdb --data ~/data/RAF-DB --recipe lmfer --leak-free --out out/lmfer
      ferdata build rafdb --demo --augment balance --operations my-operations.yaml --out out/mine
      ferdata build FER_CK+_KDEF --demo --augment balance --out out/mix
      ferdata build FER_CK+_KDEF --data fer2013=~/data/fer2013 --data ckplus=~/data/CK+ \\
          --data kdef=~/data/KDEF_and_AKDEF --augment balance --out out/mix
    """
    from ferdata.core.parallel import default_workers  # noqa: PLC0415
    from ferdata.shards import BuildOptions, Execution  # noqa: PLC0415 - keeps start-up light
    from ferdata.shards import build as build_dataset  # noqa: PLC0415
    from ferdata.shards.options import make_options  # noqa: PLC0415
    from ferdata.shards.pipeline import settle  # noqa: PLC0415
    from ferdata.shards.sources import find_source  # noqa: PLC0415
    from ferdata.shards.summary import summary  # noqa: PLC0415

    if quiet:
        logging.getLogger("ferdata").setLevel(logging.WARNING)
    values = {
        "recipe": recipe,
        "leak_free": leak_free,
        "source": source,
        "augment": augment,
        "balance_to": balance_to,
        "max_copies": max_copies,
        "operations": operations,
        "split": split,
        "allow_group_leak": allow_group_leak,
        "validation": validation,
        "duplicates": duplicates,
        "near_duplicates": near_duplicates,
        "landmarks": landmarks,
        "require_face": require_face,
        "blendshapes": blendshapes,
        "align": align,
        "size": size,
        "margin": margin,
        "equalize": equalize,
        "color": color,
        "encoding": encoding,
        "formats": tuple(word.strip() for word in formats.split(",")),
        "shard_bytes": shard_bytes,
        "max_reject_rate": max_reject_rate,
        "seed": seed,
    }
    given = {key: value for key, value in values.items() if _is_given(context, key)}
    choices = given_choices(
        label_rule=label_rule,
        eval_label_rule=eval_label_rule,
        frames=frames,
        poses=poses,
        classes=classes,
        label_source=label_source,
    )
    # Only what was given, so that a recipe and a mix can fill in the rest.
    options = make_options(BuildOptions, given | ({"choices": choices} if choices else {}))
    execution = make_options(
        Execution,
        {
            "workers": workers or default_workers(),
            "executor": executor,
            "quiet": quiet,
            "overwrite": overwrite,
        },
    )
    found = find_source(name)
    settle(found, options)  # what is wrong with the recipe is said before faces are drawn
    try:
        roots = _roots(found, data, out, demo, demo_scale, execution)
        report = build_dataset(name, roots, out, options, execution)
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on where it stopped", err=True)
        raise
    if as_json:
        typer.echo(json.dumps(report.record, indent=1, sort_keys=True))
    elif not quiet:
        typer.echo(summary(report))


def _is_given(context: typer.Context, name: str) -> bool:
    """Say whether an option stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _roots(
    source: BuildSource,
    data: list[str] | None,
    out: Path,
    demo: bool,
    scale: float,
    execution: Execution,
) -> Path | Mapping[str, Path]:
    """Return the datasets' folders; draw synthetic copies where they are asked for."""
    names = source.datasets
    if demo == bool(data):
        how = " and ".join(f"ferdata datasets {name}" for name in names[:3])
        raise OptionError(
            "give either --data DIR, the folder that holds the data, or --demo to build from a "
            f"synthetic copy. How to get the real one: {how}"
        )
    if data:
        return parse_data(data, names)
    from ferdata.ingesters.demo import write_demo  # noqa: PLC0415 - only the demo draws

    return {
        name: write_demo(
            name,
            out / "demo" / name if len(names) > 1 else out / "demo",
            scale=scale,
            workers=execution.workers,
            quiet=execution.quiet,
        ).root
        for name in names
    }
