"""Whether an exported model has the same outputs as ferdata: the same images through both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ferdata.core.errors import ModelFileError
from ferdata.core.labels import CANONICAL
from ferdata.faces.schemes import scheme
from ferdata.models.classifier import Classifier
from ferdata.synth import CLOSE, SCENE, draw_face

TOLERANCE = 1e-4
"""Largest absolute difference of two logits, or probabilities, that counts as equal."""

RELATIVE_TOLERANCE = 1e-5
"""The same as a fraction of an image's largest logit; it applies if logits are above 10.

float32 holds seven digits, and a deep network's sums in another order lose two of them: on noise,
which no model was trained on, logits of 100 come out 1e-4 apart."""

NOISE_IMAGES = 10
FACE_IMAGES = 12
_BATCHES = (1, 3, 8, NOISE_IMAGES + FACE_IMAGES - 12)  # the batch size must be free
_DRAWN = 128  # pixels a side; then resized to the images' size

Landmarks = npt.NDArray[np.float32] | None
Outputs = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Logits and probabilities, each (B, K)."""

Batch = tuple[npt.NDArray[np.uint8], Landmarks]
"""Images (B, H, W, C) and, for models with a landmark prior, landmarks (B, P, 2)."""


@dataclass
class Comparison:
    """How far an exported model's outputs are from torch's.

    Attributes:
        tolerance: Largest absolute difference that counts as equal.
        relative: The same for a logit, as a fraction of the image's largest one.
        images: Number of images compared.
        difference: Largest absolute difference of a logit or a probability; infinite if one is NaN.
        largest_logit: Largest absolute logit of torch.
        equal: Whether every image's outputs are within the tolerances.
    """

    images: int = 0
    difference: float = 0.0
    largest_logit: float = 0.0
    equal: bool = True
    tolerance: float = TOLERANCE
    relative: float = RELATIVE_TOLERANCE

    def add(self, found: Outputs, wanted: Outputs) -> None:
        """Compare logits and probabilities, each (B, K), of some images."""
        logits, probabilities = (
            np.abs(a - b).max(axis=1) for a, b in zip(found, wanted, strict=True)
        )
        size = np.abs(wanted[0]).max(axis=1)
        allowed = np.maximum(self.tolerance, self.relative * size)
        worst = float(np.maximum(logits, probabilities).max())  # NaN stays NaN
        self.images += len(logits)
        self.difference = max(self.difference, worst if np.isfinite(worst) else np.inf)
        self.largest_logit = max(self.largest_logit, float(size.max()))
        # a comparison with NaN is false
        self.equal &= bool(np.all(logits <= allowed) and np.all(probabilities <= self.tolerance))

    def require_equal(self, model: str, remedy: str) -> None:
        """Check that the outputs are equal.

        Args:
            model: Name of the model, for the message.
            remedy: What to try, for the message.

        Raises:
            ModelFileError: They differ.
        """
        if not self.equal:
            raise ModelFileError(
                f"{model}: outputs of the exported model differ from torch's by up to "
                f"{self.difference:.2e} (largest logit {self.largest_logit:.3g}); allowed are "
                f"{self.tolerance:.0e}, or {self.relative:.0e} of the largest logit. No file was "
                f"kept. {remedy}"
            )


def compare(model: bytes, classifier: Classifier, height: int, width: int) -> Comparison:
    """Run noise and drawn faces through an ONNX model and through torch.

    Args:
        model: The ONNX model as it will be written.
        classifier: What it was made from, on the CPU, in evaluation mode.
        height: Height of the images, pixels.
        width: Width of the images, pixels.

    Raises:
        ModelFileError: onnxruntime can't run the model, on any batch size.
    """
    import onnxruntime  # noqa: PLC0415 - an optional extra
    from onnxruntime.capi import onnxruntime_pybind11_state as native  # noqa: PLC0415 - as above

    refusals = (
        native.Fail, native.InvalidArgument, native.InvalidGraph, native.NotImplemented,
        native.RuntimeException,
    )  # fmt: skip
    try:
        return _compare(onnxruntime, model, classifier, height, width)
    except refusals as error:
        raise ModelFileError(
            f"{classifier.spec.model}: onnxruntime {onnxruntime.__version__} can't run the "
            f"exported model ({' '.join(str(error).split())}); no file was kept. Try another "
            "--opset, or another version of torch or onnxruntime."
        ) from error


def _compare(
    onnxruntime: Any, model: bytes, classifier: Classifier, height: int, width: int
) -> Comparison:
    """Compare, with onnxruntime's own errors."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal only: errors are raised as exceptions
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(images: npt.NDArray[np.uint8], landmarks: Landmarks) -> Outputs:
        given = {"image": images} | ({} if landmarks is None else {"landmarks": landmarks})
        logits, probability = session.run(["logits", "probability"], given)
        return logits, probability

    return compare_with(run, classifier, height, width)


def compare_with(
    run: Callable[[npt.NDArray[np.uint8], Landmarks], Outputs],
    classifier: Classifier,
    height: int,
    width: int,
    *,
    exact: bool = False,
) -> Comparison:
    """Run noise and drawn faces through a model and through torch.

    Args:
        run: The model: turns a batch into logits and probabilities.
        classifier: What it was made from, on the CPU, in evaluation mode.
        height: Height of the images, pixels.
        width: Width of the images, pixels.
        exact: Whether equal means equal, and not within the tolerances.
    """
    comparison = Comparison(tolerance=0, relative=0) if exact else Comparison()
    for images, landmarks in check_batches(classifier, height, width):
        with torch.inference_mode():
            comparison.add(run(images, landmarks), outputs_of(classifier, images, landmarks))
    return comparison


def outputs_of(
    classifier: Classifier, images: npt.NDArray[np.uint8], landmarks: Landmarks
) -> Outputs:
    """Return a classifier's logits and probabilities, each float32 (B, K)."""
    points = None if landmarks is None else torch.from_numpy(landmarks)
    logits = classifier(torch.from_numpy(images), points)
    return logits.numpy(), logits.softmax(dim=1).numpy()


def check_batches(classifier: Classifier, height: int, width: int) -> Iterator[Batch]:
    """Draw the images of the comparison, in batches of several sizes; always the same ones."""
    generator = np.random.default_rng(0)
    channels = classifier.spec.channels
    noise = generator.integers(0, 256, (NOISE_IMAGES, height, width, channels), dtype=np.uint8)
    noise[0], noise[1] = 0, 255
    faces = [_draw(number, generator, height, width, channels) for number in range(FACE_IMAGES)]
    images = np.concatenate([np.stack(faces), noise])
    points = _draw_points(classifier, len(images), generator, height, width)
    start = 0
    for size in _BATCHES:
        some = slice(start, start + size)
        yield images[some], None if points is None else points[some]
        start += size


def _draw(
    number: int, generator: np.random.Generator, height: int, width: int, channels: int
) -> npt.NDArray[np.uint8]:
    """Draw one face, uint8 (height, width, channels)."""
    label = CANONICAL[number % len(CANONICAL)]
    face = draw_face(label, generator, _DRAWN, framing=SCENE if number % 3 == 0 else CLOSE)
    image = cv2.resize(face.pixels, (width, height), interpolation=cv2.INTER_AREA)
    if channels == 1:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(image, np.uint8).reshape(height, width, channels)


def _draw_points(
    classifier: Classifier, number: int, generator: np.random.Generator, height: int, width: int
) -> npt.NDArray[np.float32] | None:
    """Draw random landmarks inside the images; one image in four has none."""
    if classifier.spec.landmark_scheme is None:
        return None
    size = scheme(classifier.spec.landmark_scheme).size
    points = generator.uniform(0, (width, height), (number, size, 2)).astype(np.float32)
    points[::4] = np.nan
    return points
