"""`ferdata export`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferdata.api.exports import run_export, run_formats
from ferdata.cli.flags import Flag, Json, Quiet, flags_of, with_flags
from ferdata.cli.output import echo_json
from ferdata.core.options import flag
from ferdata.deployment.options import ExportOptions
from ferdata.exports.options import BuildExportOptions
from ferdata.exports.registry import EXPORTS

if TYPE_CHECKING:
    from ferdata.deployment.results import ExportReport


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
        typer.Option(help="The folder or the file. [default for a run: in RUN/export]"),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Export a build for another library, or a trained model to a file.

    A build becomes a folder of images, labels, splits, landmarks and the parents of augmented
    copies, in the build's order; images are lossless. The terms of the datasets apply to it, too.
    It gets its name when it is complete, and its bytes depend on nothing but the build and these
    options.

    A model becomes one file that runs without ferdata and without torch. The input is uint8 images
    as stored in the run's build (batch, height, width, channels); resizing and normalization are
    part of the model. The outputs are logits and probabilities. The metadata contains the class
    names and how to prepare an image. The file is kept only if the outputs of ONNX Runtime and
    PyTorch agree to 1e-4. A model with a landmark prior has landmarks as a second input.

    \b
    Examples:
      ferdata export out/rafdb --to imagefolder --out out/rafdb-images
      ferdata export out/rafdb --to webdataset --no-copies --splits train,test --out out/rafdb-wds
      ferdata export out/rafdb --to fiftyone --out out/rafdb-fiftyone
      ferdata export runs/rafdb-lmfer --to onnx
      ferdata export runs/rafdb-lmfer --out lmfer.onnx --json
    """
    from ferdata.exports.record import BuildExportReport  # noqa: PLC0415 - keeps start-up light

    report = run_export(source, given.pop("to", None), out, given, quiet=quiet, spelled=flag)
    if as_json:
        echo_json(report)
    elif isinstance(report, BuildExportReport):
        typer.echo(report.summary())
    else:
        typer.echo(_run_summary(report))


def _run_summary(report: ExportReport) -> str:
    shape = f"(batch, {report.height}, {report.width}, {report.channels})"
    return (
        f"{report.model} ({report.checkpoint} checkpoint), opset {report.opset}\n"
        f"in            {', '.join(report.inputs)}; image is uint8 {shape}\n"
        f"out           {', '.join(report.outputs)}; {len(report.labels)} classes: "
        f"{', '.join(report.labels)}\n"
        f"against torch {report.images} images, largest difference "
        f"{report.largest_difference:.1e} (allowed {report.tolerance:.0e}; largest logit "
        f"{report.largest_logit:.3g})\n"
        f"file          {report.file} ({report.bytes / 1e6:.1f} MB)"
    )
