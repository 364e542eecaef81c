"""`export`: a run's model as a file or folder for other programs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ferdata.core.errors import MissingExtraError, OptionError
from ferdata.deployment.options import ExportOptions
from ferdata.deployment.results import ExportReport
from ferdata.runs.folder import RunFolder

if TYPE_CHECKING:
    from ferdata.deployment.source import ExportSource


def export(
    run: str | Path, out: str | Path | None = None, options: ExportOptions | None = None
) -> ExportReport:
    """Write a run's model for other programs, and keep it only if its outputs equal torch's.

    - `onnx`: a file. The graph takes `image`, uint8 (batch, H, W, C) as the run's build stores
      images, with a free batch size, and returns `logits` and `probability`, float32 (batch, K).
      Resizing and normalization are part of it. A model with a landmark prior has a second input
      `landmarks`, float32 (batch, P, 2) in pixels of the image, NaN where unknown. Class names,
      label space, sizes, the build and how to prepare an image are in the file's metadata. Needs
      the extra `onnx`.
    - `hf`: a folder that transformers' `AutoModelForImageClassification` and `AutoImageProcessor`
      open, and timm as `local-dir:FOLDER`, with a model card. The papers' models have to be
      registered in timm by `import ferdata.models.timm_entries` before. Needs the extra `hf`.
    - `safetensors`: a file of weights that `create_model` and timm take as `checkpoint_path`, with
      the model's spec and the same facts as metadata, JSON under `ferdata`.

    What is written is kept only if its outputs for noise and drawn faces differ from torch's by at
    most 1e-4, or 1e-5 of the largest logit if that is more (`onnx`), 1e-5 in float64 (`hf`), or
    not at all (`safetensors`). Its bytes depend only on the checkpoint, the run's record and the
    installed versions.

    Args:
        run: Folder of a run that `train` wrote.
        out: The file or folder; default inside `RUN/export/`. What is there is replaced.
        options: See `ExportOptions`.

    Raises:
        OptionError: There is no such run, or `out` is no place for the format.
        RunError: The run is not finished, and a card is to be written.
        MissingExtraError: A library that the format needs is not installed.
        ModelFileError: The checkpoint is missing or damaged, the model can't be exported so, or
            the outputs of the exported model differ.
        BuildError: The file can't be written.
    """
    folder, options = RunFolder(Path(run).expanduser()), options or ExportOptions()
    record = folder.read()
    target = None if out is None else Path(out).expanduser()
    if target is not None and target.is_dir() and options.to != "hf":
        example = target / f"fer.{options.to}"
        raise OptionError(f"--out {target} is a folder; name a file, such as {example}")
    try:
        from ferdata.deployment.source import ExportSource

        write = _exporter(options)
    except ImportError as error:
        extra = {"onnx": "onnx", "hf": "transformers", "safetensors": "train"}[options.to]
        raise MissingExtraError(f"export --to {options.to}", extra, error) from error
    return write(ExportSource.load(folder, record, options), target)


def _exporter(options: ExportOptions) -> Callable[[ExportSource, Path | None], ExportReport]:
    """Import what a format needs, and return the function that writes it."""
    # ruff: noqa: PLC0415 - torch is heavy, the others are optional extras
    if options.to == "hf":
        from ferdata.deployment.hf_folder import export_folder

        return export_folder
    if options.to == "safetensors":
        from ferdata.deployment.weights_file import export_weights

        return export_weights
    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401
    import onnxscript  # noqa: F401 - torch's exporter needs it

    from ferdata.deployment.onnx_model import export_onnx

    return partial(export_onnx, options=options)
