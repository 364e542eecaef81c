"""`ferdata export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ferdata.cli.flags import Json, flags_of, with_flags
from ferdata.cli.output import echo_json
from ferdata.core.options import flag
from ferdata.deployment.options import ExportOptions


@with_flags(flags_of(ExportOptions))
def export(
    given: dict[str, Any],
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The file, for hf the folder, to write. [default: in RUN/export/]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Export a trained model to ONNX, and check it against PyTorch.

    The input is uint8 images as stored in the run's build (batch, height, width, channels);
    resizing and normalization are part of the model. The outputs are logits and probabilities. The
    metadata contains the class names and how to prepare an image. The file is kept only if the
    outputs of ONNX Runtime and PyTorch agree to 1e-4. A model with a landmark prior has landmarks
    as a second input.

    \b
    Examples:
      ferdata export runs/rafdb-lmfer --to onnx
      ferdata export runs/rafdb-lmfer --out lmfer.onnx --json
    """
    from ferdata.deployment import export as export_run  # noqa: PLC0415 - keeps start-up light

    report = export_run(run, out, ExportOptions.checked(given, spelled=flag))
    if as_json:
        echo_json(report)
        return
    typer.echo(report.summary())
