"""A classifier as an ONNX graph: from stored uint8 images to logits and probabilities.

Normalization and resizing are part of the graph: it takes the pixels that a build would store.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferdata.core.errors import ModelFileError
from ferdata.models.classifier import Classifier
from ferdata.models.inputs.preprocess import Preprocess
from ferdata.models.spec import ModelSpec

if TYPE_CHECKING:
    import onnx

INPUT_NAMES = ("image", "landmarks")
"""Names of the graph's inputs; only models with a landmark prior have the second."""

OUTPUT_NAMES = ("logits", "probability")

_CHATTY = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir", "onnxruntime")


class ExportGraph(nn.Module):
    """What is exported: a classifier that also returns probabilities.

    Args:
        classifier: The classifier; a copy is taken.
        height: Height of the images, pixels.
        width: Width of the images, pixels.
    """

    def __init__(self, classifier: Classifier, height: int, width: int) -> None:
        super().__init__()
        self.classifier = copy.deepcopy(classifier).cpu().float().eval()
        if (height, width) != self.classifier.preprocess.size:
            self.classifier.preprocess = LinearPreprocess(classifier.spec, height, width)

    def forward(self, image: Tensor, landmarks: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Classify images.

        Args:
            image: uint8, shape (B, H, W, C).
            landmarks: float32, shape (B, P, 2), for models with a landmark prior.

        Returns:
            Logits and probabilities, float32, both of shape (B, K).
        """
        logits: Tensor = self.classifier(image, landmarks)
        return logits, logits.softmax(dim=1)


class LinearPreprocess(Preprocess):
    """`Preprocess` with the resize as two matrix products.

    An antialiased bilinear resize is a linear map along each axis; resizing unit vectors gives its
    matrix. ONNX's own antialiased `Resize` differs from torch's by up to 0.002 gray levels, and
    several runtimes don't support it; matrix products avoid both.

    Args:
        spec: Normalization and input size.
        height: Height of the input images, pixels.
        width: Width of the input images, pixels.
    """

    down: Tensor
    across: Tensor

    def __init__(self, spec: ModelSpec, height: int, width: int) -> None:
        super().__init__(spec.mean, spec.std, spec.input_size)
        rows, columns = spec.input_size
        self.register_buffer("down", resize_matrix(height, rows))
        self.register_buffer("across", resize_matrix(width, columns).T.contiguous())

    def resize(self, images: Tensor) -> Tensor:
        """Return uint8 (B, H, W, C) as float32 (B, C, rows, columns), still in 0–255."""
        return self.down @ (images.permute(0, 3, 1, 2).float() @ self.across)


def resize_matrix(length: int, target: int) -> Tensor:
    """Return the matrix of torch's antialiased bilinear resize along one axis.

    Args:
        length: Number of input pixels.
        target: Number of output pixels.

    Returns:
        float32, shape (target, length).
    """
    units = torch.eye(length)[None, None]
    resized = functional.interpolate(
        units, (target, length), mode="bilinear", align_corners=False, antialias=True
    )
    return resized[0, 0]


def to_onnx(classifier: Classifier, height: int, width: int, opset: int) -> onnx.ModelProto:
    """Turn a classifier into an ONNX model with a free batch size.

    The bytes depend only on the weights and the versions of torch and onnxscript: the exporter's
    notes on source files and lines are removed.

    Args:
        classifier: The classifier, in evaluation mode.
        height: Height of the images, pixels.
        width: Width of the images, pixels.
        opset: Version of ONNX's standard operators.

    Raises:
        ModelFileError: The model contains something that torch can't export.
    """
    graph = ExportGraph(classifier, height, width).eval()
    examples = classifier.example_inputs(2, height, width)
    names = INPUT_NAMES[: len(examples)]
    batch = torch.export.Dim("batch", min=1)
    try:
        with _quiet(), torch.no_grad():
            graph(*examples)  # models that cache tensors must cache real ones
            program = torch.onnx.export(
                graph,
                examples,
                dynamo=True,
                verbose=False,
                opset_version=opset,
                input_names=list(names),
                output_names=list(OUTPUT_NAMES),
                dynamic_shapes={name: {0: batch} for name in names},
            )
    except torch.onnx.OnnxExporterError as error:
        first_line = str(error).strip().partition("\n")[0]
        raise ModelFileError(
            f"{classifier.spec.model} can't be exported by torch {torch.__version__} with opset "
            f"{opset}: {first_line}; try another --opset, or another version of torch."
        ) from error
    if program is None:
        raise ModelFileError(f"torch {torch.__version__} returned no ONNX program")
    model: onnx.ModelProto = program.model_proto
    strip_notes(model)
    return model


def strip_notes(model: onnx.ModelProto) -> None:
    """Remove an exporter's notes on source files, lines and classes."""
    model.ClearField("metadata_props")
    _strip(model.graph)
    for function in model.functions:
        _strip(function)


def _strip(graph: Any) -> None:
    """Clear a graph or function, and the graphs inside its nodes."""
    parts = [graph, *graph.node, *graph.value_info]
    for name in ("input", "output", "initializer"):
        parts += [part for part in getattr(graph, name, ()) if not isinstance(part, str)]
    for part in parts:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _strip(attribute.g)
            for inner in attribute.graphs:
                _strip(inner)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's hints, which are for developers of exporters."""
    loggers = [logging.getLogger(name) for name in _CHATTY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
