"""`export`: a run's model as one file that runs without ferdata and without torch."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from ferdata import __version__
from ferdata.core.errors import MissingExtraError, ModelFileError, OptionError, UnknownNameError
from ferdata.core.files import sha256_file, write_atomically
from ferdata.deployment.graph import INPUT_NAMES, OUTPUT_NAMES, to_onnx
from ferdata.deployment.parity import RELATIVE_TOLERANCE, TOLERANCE, Comparison, compare
from ferdata.deployment.preparation import Preparation
from ferdata.models.checkpoint import load_classifier
from ferdata.models.classifier import Classifier
from ferdata.runs.folder import RunFolder, RunRecord

logger = logging.getLogger(__name__)

TARGETS = ("onnx",)
"""What `export` can write."""

OPSETS = range(18, 24)
"""Versions of ONNX's operators that all models of ferdata were checked with; onnxruntime 1.14 knows
the first, 1.22 the last."""

DEFAULT_OPSET = 20
"""What torch 2.15 writes if nothing is said; onnxruntime knows it since 1.17."""


class ExportReport(BaseModel):
    """What was exported.

    Attributes:
        file: The file.
        target: Its format, `"onnx"`.
        bytes: Its size.
        opset: Version of ONNX's operators.
        model: Name of the model.
        checkpoint: `"best"` on validation, or `"last"`.
        labels: Class names in the order of the outputs.
        inputs: Names of the inputs.
        outputs: Names of the outputs.
        height: Height of the images, pixels.
        width: Width of the images, pixels.
        channels: 3 for RGB, 1 for gray.
        largest_difference: Largest absolute difference of an output to torch's.
        largest_logit: Largest absolute logit of torch.
        tolerance: What the difference may be at most, for logits up to 10.
        images: Number of images that were compared.
    """

    file: str
    target: Literal["onnx"] = "onnx"
    bytes: int
    opset: int
    model: str
    checkpoint: str
    labels: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    height: int
    width: int
    channels: int
    largest_difference: float
    largest_logit: float
    tolerance: float
    images: int


def export(
    run: Path,
    out: Path | None = None,
    *,
    to: str = "onnx",
    checkpoint: str | None = None,
    opset: int = DEFAULT_OPSET,
) -> ExportReport:
    """Write a run's model as an ONNX file that answers as torch does.

    The graph takes `image`, uint8 (batch, H, W, C) as the run's build stores images, with a free
    batch size, and gives `logits` and `probability`, float32 (batch, K). Resizing and normalization
    are inside. A model with a landmark prior has a second input `landmarks`, float32
    (batch, P, 2) in pixels of the image, NaN where unknown. Class names, label space, sizes, the
    build and how a picture is to be prepared are in the file's metadata.

    The file is kept only if onnxruntime's answers to noise and drawn faces differ from torch's by
    at most `TOLERANCE`, or `RELATIVE_TOLERANCE` of the largest logit where that is more. Its bytes
    depend on the checkpoint, the run's record and the installed versions only.

    Args:
        run: Folder of a run that `train` made.
        out: The file; default `RUN/export/CHECKPOINT.onnx`. What stands there is replaced.
        to: The format, of `TARGETS`.
        checkpoint: `"best"` or `"last"`; default: as the run's `select` says.
        opset: Version of ONNX's operators, in `OPSETS`.

    Raises:
        OptionError: `run` is no run, or `opset` or `out` can't be.
        UnknownNameError: There is no such format.
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
        ModelFileError: The checkpoint is missing or damaged, torch can't export the model, or the
            exported one answers differently.
        BuildError: The file can't be written.
    """
    if to not in TARGETS:
        raise UnknownNameError("--to", to, TARGETS)
    if opset not in OPSETS:
        raise OptionError(f"--opset {opset}: expected {OPSETS.start} to {OPSETS.stop - 1}.")
    _require_packages()
    folder = RunFolder(run)
    record = folder.read()
    which = checkpoint or record.options.select
    target = out or folder.path / "export" / f"{which}.onnx"
    if target.is_dir():
        raise OptionError(f"--out {target} is a folder; name a file, such as {target / 'fer.onnx'}")
    source = folder.checkpoint(which)
    classifier = load_classifier(source)
    metadata = describe(classifier, record) | {
        "checkpoint": which,
        "checkpoint_sha256": sha256_file(source),
    }
    preparation = Preparation.from_build(record.build)
    content, comparison = checked_onnx(classifier, preparation.size, metadata, opset)
    with write_atomically(target) as file:
        file.write(content)
    return ExportReport(
        file=str(target),
        bytes=len(content),
        opset=opset,
        model=classifier.spec.model,
        checkpoint=which,
        labels=classifier.spec.labels,
        inputs=INPUT_NAMES[: 2 if classifier.takes_landmarks else 1],
        outputs=OUTPUT_NAMES,
        height=preparation.size,
        width=preparation.size,
        channels=classifier.spec.channels,
        largest_difference=comparison.difference,
        largest_logit=comparison.largest_logit,
        tolerance=TOLERANCE,
        images=comparison.images,
    )


def checked_onnx(
    classifier: Classifier, size: int, metadata: Mapping[str, str], opset: int = DEFAULT_OPSET
) -> tuple[bytes, Comparison]:
    """Return an ONNX model as bytes, and how far its answers are from torch's.

    Args:
        classifier: The classifier, in evaluation mode, on the CPU.
        size: Side of the images, pixels.
        metadata: What the model says of itself.
        opset: Version of ONNX's operators.

    Raises:
        ModelFileError: torch can't export the model, onnxruntime can't run the exported one, or it
            answers differently.
    """
    model = to_onnx(classifier, size, size, opset)
    for key, value in sorted(metadata.items()):
        model.metadata_props.add(key=key, value=value)
    content: bytes = model.SerializeToString(deterministic=True)
    comparison = compare(content, classifier, size, size)
    if not comparison.equal:
        raise ModelFileError(
            f"{classifier.spec.model}: the exported model answers differently from torch: outputs "
            f"differ by up to {comparison.difference:.2e} (largest logit "
            f"{comparison.largest_logit:.3g}); allowed are {TOLERANCE:.0e}, or "
            f"{RELATIVE_TOLERANCE:.0e} of the largest logit. No file was kept. Try another "
            "--opset, or another version of torch."
        )
    return content, comparison


def describe(classifier: Classifier, record: RunRecord) -> dict[str, str]:
    """Return what an exported model says of itself; values that are not text are JSON.

    Args:
        classifier: The model and its spec.
        record: The run's record.
    """
    spec, build = classifier.spec, record.build
    preparation = Preparation.from_build(build)
    values: dict[str, Any] = {
        "labels": spec.labels,
        "label_space": spec.label_space,
        "ferdata_version": __version__,
        "model": spec.model,
        "model_options": spec.model_options,
        "image": {
            "height": preparation.size,
            "width": preparation.size,
            "channels": spec.channels,
            "order": "height, width, channels",
            "color": "RGB" if spec.channels == 3 else "gray",
            "type": "uint8, 0 to 255",
        },
        "input_size": spec.input_size,
        "mean": spec.mean,
        "std": spec.std,
        "normalization": "inside the graph: (image / 255 - mean) / std, resized before",
        "landmark_scheme": spec.landmark_scheme,
        "build": {"name": build.get("name"), "plan_sha256": build.get("plan_sha256")},
        "preparation": preparation.to_json(),
        "preparation_note": preparation.note(),
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in values.items()
        if value is not None
    }


def _require_packages() -> None:
    """Check that what ONNX needs is there, before a minute of work."""
    try:
        import onnx  # noqa: F401, PLC0415 - an optional extra
        import onnxruntime  # noqa: F401, PLC0415
        import onnxscript  # noqa: F401, PLC0415 - torch's exporter works with it
    except ImportError as error:
        raise MissingExtraError("export", "onnx", error) from error
