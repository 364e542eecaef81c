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
        largest_difference: Largest absolute difference of an output from torch's.
        largest_logit: Largest absolute logit of torch.
        tolerance: Largest difference allowed, for logits up to 10.
        images: Number of images compared.
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
