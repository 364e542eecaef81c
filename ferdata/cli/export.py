"""`ferdata export`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ferdata.api.exports import run_export, run_formats
from ferdata.cli.flags import Flag, Json, Quiet, flags_of, with_flags
from ferdata.cli.output import echo_json
from ferdata.core.options import flag
from ferdata.deployment.options import ExportOptions
from ferdata.exports.options import BuildExportOptions
from ferdata.exports.registry import EXPORTS


def _flags() -> Iterator[Flag]:
    """Yield the flags of both kinds of export; `--to` tells which it is."""
    yield Flag(
        "to",
        help=f"Format. Of a build: {', '.join(EXPORTS)}. Of a run: {', '.join(run_formats())}.",
        metavar="FORMAT",
    )
    kinds = ((BuildExportOptions, "Export of a build"), (ExportOptions, "Export of a run"))
    for model, section in kinds:
        yield from (replace(each, section=section) for each in flags_of(model) if each.name != "to")


@with_flags(_flags())
def export(
    given: dict[str, Any],
    source: Annotated[
        Path, typer.Argument(metavar="BUILD|RUN", help="Folder of a build or of a training run.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The folder or the file to write. [default for a run: in RUN/export/]"),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Export a build for another library, or a trained model to a file.

    A build becomes a folder of images, labels, splits, landmarks and the parents of augmented
    copies, in the build's order; images are lossless. The terms of the datasets apply to it, too.
    It gets its name when it is complete, and its bytes depend on nothing but the build and these
    options.

    A model becomes a file that runs without ferdata and without torch (onnx), weights for
    timm (safetensors), or a folder for transformers (hf). The input of ONNX is uint8 images as
    stored in the run's build (batch, height, width, channels); resizing and normalization are part
    of the model. The outputs are logits and probabilities. The metadata contains the class names
    and how to prepare an image. A model with a landmark prior has landmarks as a second input.
    What was exported is kept only if its outputs agree with PyTorch's.

    \b
    Examples:
      ferdata export out/rafdb --to imagefolder --out out/rafdb-images
      ferdata export out/rafdb --to webdataset --no-copies --splits train,test --out out/rafdb-wds
      ferdata export out/rafdb --to fiftyone --out out/rafdb-fiftyone
      ferdata export runs/rafdb-lmfer --to onnx
      ferdata export runs/rafdb-lmfer --out lmfer.onnx --json
      ferdata export runs/rafdb-resnet18 --to hf --out resnet18
    """
    report = run_export(source, given.pop("to", None), out, given, quiet=quiet, spelled=flag)
    if as_json:
        echo_json(report)
    else:
        typer.echo(report.summary())
