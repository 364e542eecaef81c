"""A run's model as an ONNX file: made, checked against torch, described, written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferdata.core.errors import ModelFileError
from ferdata.core.files import sha256_file, write_atomically
from ferdata.core.version import __version__
from ferdata.deployment.graph import INPUT_NAMES, OUTPUT_NAMES, to_onnx
from ferdata.deployment.options import ExportOptions
from ferdata.deployment.parity import RELATIVE_TOLERANCE, TOLERANCE, Comparison, compare
from ferdata.deployment.preparation import Preparation
from ferdata.deployment.results import ExportReport
from ferdata.models.checkpoint import load_classifier
from ferdata.models.classifier import Classifier
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord


def export_run(
    folder: RunFolder, record: RunRecord, out: Path | None, options: ExportOptions
) -> ExportReport:
    """Do what `ferdata.deployment.export` says."""
    which = options.checkpoint or record.options.select
    target = out or folder.path / "export" / f"{which}.onnx"
    source = folder.model_file(which)
    classifier = load_classifier(source)
    metadata = describe(classifier, record) | {
        "checkpoint": which,
        "checkpoint_sha256": sha256_file(source),
    }
    size = Preparation.from_build(record.build).size
    content, comparison = checked_onnx(classifier, size, metadata, options.opset)
    with write_atomically(target) as file:
        file.write(content)
    return ExportReport(
        file=str(target),
        bytes=len(content),
        opset=options.opset,
        model=classifier.spec.model,
        checkpoint=which,
        labels=classifier.spec.labels,
        inputs=INPUT_NAMES[: 2 if classifier.takes_landmarks else 1],
        outputs=OUTPUT_NAMES,
        height=size,
        width=size,
        channels=classifier.spec.channels,
        largest_difference=comparison.difference,
        largest_logit=comparison.largest_logit,
        tolerance=TOLERANCE,
        images=comparison.images,
    )


def checked_onnx(
    classifier: Classifier, size: int, metadata: Mapping[str, str], opset: int
) -> tuple[bytes, Comparison]:
    """Return an ONNX model as bytes, and how far its outputs are from torch's.

    Args:
        classifier: The classifier, in evaluation mode, on the CPU.
        size: Side of the images, pixels.
        metadata: The model's metadata.
        opset: Version of ONNX's operators.

    Raises:
        ModelFileError: torch can't export the model, onnxruntime can't run the exported one, or
            its outputs differ.
    """
    model = to_onnx(classifier, size, size, opset)
    for key, value in sorted(metadata.items()):
        model.metadata_props.add(key=key, value=value)
    content: bytes = model.SerializeToString(deterministic=True)
    comparison = compare(content, classifier, size, size)
    if not comparison.equal:
        raise ModelFileError(
            f"{classifier.spec.model}: outputs of the exported model differ from torch's by up to "
            f"{comparison.difference:.2e} (largest logit {comparison.largest_logit:.3g}); allowed "
            f"are {TOLERANCE:.0e}, or {RELATIVE_TOLERANCE:.0e} of the largest logit. No file was "
            "kept. Try another --opset, or another version of torch."
        )
    return content, comparison


def describe(classifier: Classifier, record: RunRecord) -> dict[str, str]:
    """Return the metadata of an exported model; values that are not text are JSON.

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
        "build": {"name": build.name, "plan_sha256": build.plan_sha256},
        "preparation": preparation.to_json(),
        "preparation_note": preparation.note(),
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in values.items()
        if value is not None
    }
