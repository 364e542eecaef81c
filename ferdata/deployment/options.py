"""Options of `predict` and `export`; importing them loads nothing heavy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ferdata.core.options import Options

Checkpoint = Literal["best", "last"]


class PredictOptions(Options):
    """Options of `predict`."""

    crops: bool = False
    """Treat the images as face crops: they are used whole, and no face is required."""

    landmarks: Literal["auto", "none"] = "auto"
    """`none` never runs the face detector; face crops only."""

    top: int = Field(3, ge=1)
    """Number of classes shown per image."""

    checkpoint: Checkpoint | None = None
    """Checkpoint to use. [default: the one that the run selected]"""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to compute; `auto` uses a GPU if there is one."""


class ExportOptions(Options):
    """Options of `export`."""

    to: Literal["onnx", "hf", "safetensors"] = "onnx"
    """`onnx`: a file for ONNX Runtime, which needs neither ferdata nor torch; `hf`: a folder that
    transformers and timm open; `safetensors`: a file of weights for ferdata and timm."""

    checkpoint: Checkpoint | None = None
    """Checkpoint to export. [default: the one that the run selected]"""

    opset: int = Field(20, ge=18, le=23)
    """Version of ONNX's operators, for `onnx`; onnxruntime supports 18 since its version 1.14, 20
    since 1.17, 23 since 1.22."""
