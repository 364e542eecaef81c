"""A run's model as an ONNX file: made, checked against torch, described, written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ferdata.core.files import write_atomically
from ferdata.deployment.graph import INPUT_NAMES, OUTPUT_NAMES, to_onnx
from ferdata.deployment.options import ExportOptions
from ferdata.deployment.parity import Comparison, compare
from ferdata.deployment.results import OnnxReport
from ferdata.deployment.source import ExportSource
from ferdata.models.classifier import Classifier

_NORMALIZATION = "inside the graph: (image / 255 - mean) / std, resized before"


def export_onnx(source: ExportSource, out: Path | None, options: ExportOptions) -> OnnxReport:
    """Write a run's model as an ONNX file; see `ferdata.deployment.export`."""
    target = out or source.target(".onnx")
    size, classifier = source.size, source.classifier
    content, comparison = checked_onnx(classifier, size, describe(source), options.opset)
    with write_atomically(target) as file:
        file.write(content)
    return OnnxReport(
        opset=options.opset,
        inputs=INPUT_NAMES[: 2 if classifier.takes_landmarks else 1],
        outputs=OUTPUT_NAMES,
        height=size,
        width=size,
        **source.report_fields(target, len(content), comparison),
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
    comparison.require_equal(
        classifier.spec.model, "Try another --opset, or another version of torch."
    )
    return content, comparison


def describe(source: ExportSource) -> dict[str, str]:
    """Return the metadata of an exported model; values that are not text are JSON."""
    values = source.facts() | {"normalization": _NORMALIZATION}
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in values.items()
        if value is not None
    }
