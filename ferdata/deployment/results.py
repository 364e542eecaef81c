"""What `predict` and `export` return."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Prediction(BaseModel):
    """The predicted expression of one image.

    Attributes:
        name: The image: its path as it was given or found, or `image-0001` for pixels, with their
            position among the images given.
        path: Its file; None for pixels. Not part of the JSON.
        label: The predicted class; None without a prediction.
        probability: The probability of that class.
        probabilities: The probability of every class by name, the most probable first.
        box: Bounding box of the face's landmarks, x1, y1, x2, y2 in pixels of the upright image;
            None without a detected face.
        faces: Number of faces found, at most four; None if the detector was not run.
        rule: How the classified face was chosen, as in a manifest's `face_rule`.
        problem: Why there is no prediction; None if there is one.
        annotated: Path of the annotated image, if one was written.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    path: Path | None = Field(None, exclude=True)
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] = {}
    box: tuple[float, float, float, float] | None = None
    faces: int | None = None
    rule: str | None = None
    problem: str | None = None
    annotated: str | None = None

    @property
    def note(self) -> str:
        """Which face was classified, if several were found; else empty."""
        if self.faces is None or self.faces < 2:
            return ""
        return f"{self.faces} faces found; the largest was classified"

    def __repr__(self) -> str:
        if self.problem is not None:
            return f"Prediction({self.name!r}: no prediction, {self.problem})"
        note = f"; {self.note}" if self.note else ""
        return f"Prediction({self.name!r}: {self.label} {self.probability:.1%}{note})"

    __str__ = __repr__


class ExportReport(BaseModel):
    """What was exported, and how its outputs compare with ferdata's own.

    Attributes:
        file: The file, or the folder.
        target: Its format.
        bytes: Its size.
        model: Name of the model.
        checkpoint: `"best"` on validation, or `"last"`.
        labels: Class names in the order of the outputs.
        height: Height of the images, pixels.
        width: Width of the images, pixels.
        channels: 3 for RGB, 1 for gray.
        largest_difference: Largest absolute difference of an output from ferdata's.
        largest_logit: Largest absolute logit of ferdata.
        tolerance: Largest difference allowed, for logits up to 10.
        images: Number of images compared.
    """

    file: str
    target: Literal["onnx", "hf", "safetensors"]
    bytes: int
    model: str
    checkpoint: str
    labels: tuple[str, ...]
    height: int
    width: int
    channels: int
    largest_difference: float
    largest_logit: float
    tolerance: float
    images: int

    def details(self) -> dict[str, str]:
        """Return what the summary says beside model, comparison and file."""
        return {"classes": f"{len(self.labels)}: {', '.join(self.labels)}"}

    def heading(self) -> str:
        """Return the first line of the summary."""
        return f"{self.model} ({self.checkpoint} checkpoint) as {self.target}"

    def summary(self) -> str:
        """Describe the export in a few lines."""
        rows = {
            **self.details(),
            "against torch": f"{self.images} images, largest difference "
            f"{self.largest_difference:.1e} (allowed {self.tolerance:.0e}; largest logit "
            f"{self.largest_logit:.3g})",
            "file": f"{self.file} ({self.bytes / 1e6:.1f} MB)",
        }
        return "\n".join([self.heading(), *(f"{name:<13} {text}" for name, text in rows.items())])


class OnnxReport(ExportReport):
    """An ONNX file.

    Attributes:
        opset: Version of ONNX's operators.
        inputs: Names of the inputs.
        outputs: Names of the outputs.
    """

    target: Literal["onnx"] = "onnx"
    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def heading(self) -> str:
        """Return the first line of the summary."""
        return f"{self.model} ({self.checkpoint} checkpoint), opset {self.opset}"

    def details(self) -> dict[str, str]:
        """Return the inputs and outputs."""
        shape = f"(batch, {self.height}, {self.width}, {self.channels})"
        classes = f"{len(self.labels)} classes: {', '.join(self.labels)}"
        return {
            "in": f"{', '.join(self.inputs)}; image is uint8 {shape}",
            "out": f"{', '.join(self.outputs)}; {classes}",
        }


class FolderReport(ExportReport):
    """A folder that transformers and timm open.

    Attributes:
        architecture: The model's name in timm.
        registered_by: The module to import before it is opened; None for timm's own models.
        pixel_difference: Largest difference of a normalized pixel value from ferdata's, relative to
            values above 1. The outputs are compared in float64, from the same pixel values.
    """

    target: Literal["hf"] = "hf"
    architecture: str
    registered_by: str | None
    pixel_difference: float

    def details(self) -> dict[str, str]:
        """Return classes, size and how the folder is opened."""
        first = f"import {self.registered_by}; " if self.registered_by else ""
        call = f"AutoModelForImageClassification.from_pretrained({self.file!r})"
        return {
            **super().details(),
            "in": f"pixel_values, float32 (batch, {self.channels}, {self.height}, {self.width})",
            "open with": f"{first}transformers.{call}",
        }


class WeightsReport(ExportReport):
    """A file of weights."""

    target: Literal["safetensors"] = "safetensors"
