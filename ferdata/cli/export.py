"""`ferdata export`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ferdata.cli.train import Select


class Target(StrEnum):
    """What a model is exported to."""

    ONNX = "onnx"


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run that `ferdata train` wrote.")],
    to: Annotated[Target, typer.Option(help="Format.")] = Target.ONNX,
    out: Annotated[
        Path | None, typer.Option(help="The file [default: RUN/export/CHECKPOINT.onnx].")
    ] = None,
    checkpoint: Annotated[
        Select | None,
        typer.Option(help="Checkpoint to export [default: as the run selected]."),
    ] = None,
    opset: Annotated[
        int | None, typer.Option(help="Version of ONNX's operators, 18 to 23 [default: 20].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Export a trained model to ONNX, checked against torch.

    The model takes uint8 images as the run's build stores them (batch, height, width, channels);
    resizing and normalization are part of it. It returns logits and probabilities. Class names and
    how to prepare an image are in its metadata. The file is kept only if the outputs of onnxruntime
    and torch agree to 1e-4. A model with a landmark prior takes landmarks as a second input.

    \b
    Examples:
      ferdata export runs/rafdb-lmfer --to onnx
      ferdata export runs/rafdb-lmfer --out lmfer.onnx --json
    """
    from ferdata import deployment  # noqa: PLC0415 - keeps start-up light
    from ferdata.shards.options import make_options  # noqa: PLC0415

    given = {"to": to.value, "checkpoint": checkpoint.value if checkpoint else None}
    options = make_options(
        deployment.ExportOptions, given | ({} if opset is None else {"opset": opset})
    )
    report = deployment.export(run, out, options)
    if as_json:
        typer.echo(json.dumps(report.model_dump(mode="json"), indent=1))
        return
    shape = f"(batch, {report.height}, {report.width}, {report.channels})"
    typer.echo(
        f"{report.model} ({report.checkpoint} checkpoint), opset {report.opset}\n"
        f"in            {', '.join(report.inputs)}; image is uint8 {shape}\n"
        f"out           {', '.join(report.outputs)}; {len(report.labels)} classes: "
        f"{', '.join(report.labels)}\n"
        f"against torch {report.images} images, largest difference "
        f"{report.largest_difference:.1e} (allowed {report.tolerance:.0e}; largest logit "
        f"{report.largest_logit:.3g})\n"
        f"file          {report.file} ({report.bytes / 1e6:.1f} MB)"
    )
