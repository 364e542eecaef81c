"""`export`: a run's model as one file that runs without ferdata and without torch."""

from __future__ import annotations

from pathlib import Path

from ferdata.core.errors import MissingExtraError, OptionError
from ferdata.deployment.options import ExportOptions
from ferdata.deployment.results import ExportReport
from ferdata.runs.folder import RunFolder


def export(
    run: str | Path, out: str | Path | None = None, options: ExportOptions | None = None
) -> ExportReport:
    """Write a run's model as an ONNX file whose outputs equal torch's.

    The graph takes `image`, uint8 (batch, H, W, C) as the run's build stores images, with a free
    batch size, and returns `logits` and `probability`, float32 (batch, K). Resizing and
    normalization are part of it. A model with a landmark prior has a second input `landmarks`,
    float32 (batch, P, 2) in pixels of the image, NaN where unknown. Class names, label space,
    sizes, the build and how to prepare an image are in the file's metadata.

    The file is kept only if onnxruntime's outputs for noise and drawn faces differ from torch's by
    at most `parity.TOLERANCE`, or `parity.RELATIVE_TOLERANCE` of the largest logit if that is
    more. Its bytes depend only on the checkpoint, the run's record and the installed versions.

    Args:
        run: Folder of a run that `train` wrote.
        out: The file; default `RUN/export/CHECKPOINT.onnx`. An existing file is replaced.
        options: See `ExportOptions`.

    Raises:
        OptionError: There is no such run, or `out` is a folder.
        MissingExtraError: torch, onnx, onnxscript or onnxruntime is not installed.
        ModelFileError: The checkpoint is missing or damaged, torch can't export the model, or the
            outputs of the exported model differ.
        BuildError: The file can't be written.
    """
    folder = RunFolder(Path(run).expanduser())
    record = folder.read()
    target = None if out is None else Path(out).expanduser()
    if target is not None and target.is_dir():
        raise OptionError(f"--out {target} is a folder; name a file, such as {target / 'fer.onnx'}")
    try:
        import onnx  # noqa: F401, PLC0415 - an optional extra
        import onnxruntime  # noqa: F401, PLC0415
        import onnxscript  # noqa: F401, PLC0415 - torch's exporter needs it

        from ferdata.deployment.onnx_model import export_run  # noqa: PLC0415 - torch is heavy
    except ImportError as error:
        raise MissingExtraError("export", "onnx", error) from error
    return export_run(folder, record, target, options or ExportOptions())
