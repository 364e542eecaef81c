"""Classifying new images with a run's model, batch by batch."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ferdata.core.errors import ImageError, ModelFileError
from ferdata.core.progress import progress_bar
from ferdata.deployment.annotate import View, annotate, make_view
from ferdata.deployment.face_detection import (
    IMPLAUSIBLE,
    NO_FACE,
    five_points,
    landmarks_for,
    open_detector,
)
from ferdata.deployment.images import InputImage, shown
from ferdata.deployment.options import PredictOptions
from ferdata.deployment.output import OutputFolder
from ferdata.deployment.preparation import Preparation
from ferdata.deployment.results import Prediction
from ferdata.evaluation.predictions import require_finite
from ferdata.faces.detection import Detection, extent
from ferdata.faces.detectors import LandmarkDetector
from ferdata.models.checkpoint import load_classifier
from ferdata.models.classifier import Classifier
from ferdata.models.device import torch_device
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord

logger = logging.getLogger(__name__)

_BATCH = 16  # images in memory at once


def classify_images(
    folder: RunFolder,
    record: RunRecord,
    images: Sequence[InputImage],
    options: PredictOptions,
    out: Path | None,
    *,
    quiet: bool,
) -> Generator[Prediction, None, None]:
    """Do what `ferdata.deployment.predict` says."""
    preparation = Preparation.from_build(record.build)
    device = torch_device(options.device)
    classifier = load_classifier(folder.model_file(options.checkpoint or record.options.select))
    _require_channels(classifier, preparation, folder)
    if preparation.guesses and not options.crops:
        logger.warning(
            "%s was trained on face crops without known landmarks: photographs are aligned to "
            "ferdata's template, which may show more or less of the face than the training images. "
            "Build with --landmarks auto and train again, or crop the faces yourself: --crops",
            folder.path,
        )
    with ExitStack() as stack:
        detector = stack.enter_context(
            open_detector(classifier.spec, preparation, options, quiet=quiet)
        )
        output = None
        if out is not None:
            output = stack.enter_context(OutputFolder(out, images, classifier.spec.labels))
        bar = stack.enter_context(progress_bar("predicting", len(images), quiet=quiet))
        predictor = _Predictor(
            classifier.to(device), device, preparation, detector, options, output
        )
        rest = iter(images)
        while batch := list(islice(rest, _BATCH)):
            for prediction in predictor.predict(batch):
                bar.update()
                yield prediction


@dataclass(frozen=True)
class _Prepared:
    """An image on its way to the model.

    Attributes:
        source: The image as it was given.
        problem: Why there can be no prediction, or "".
        pixels: uint8 (S, S, C), as the build would store it; None with a problem.
        landmarks: The landmarks that the model takes, float32 (P, 2), or None.
        searched: Whether the detector was run.
        detection: The face.
        view: The image to draw on, if it is to be annotated.
    """

    source: InputImage
    problem: str = ""
    pixels: npt.NDArray[np.uint8] | None = None
    landmarks: npt.NDArray[np.float32] | None = None
    searched: bool = False
    detection: Detection | None = None
    view: View | None = None


@dataclass(frozen=True)
class _Predictor:
    """A model with everything it needs to classify new images."""

    classifier: Classifier
    device: torch.device
    preparation: Preparation
    detector: LandmarkDetector | None
    options: PredictOptions
    output: OutputFolder | None

    def predict(self, images: Sequence[InputImage]) -> Iterator[Prediction]:
        """Classify some images, in order."""
        prepared = [self._prepare(image) for image in images]
        probabilities = iter(self._classify([each for each in prepared if not each.problem]))
        for each in prepared:
            yield self._finish(each, None if each.problem else next(probabilities))

    def _prepare(self, source: InputImage) -> _Prepared:
        """Read an image, detect its face, and make the image that the model sees."""
        try:
            pixels = source.read()
        except ImageError as error:
            return _Prepared(source, error.reason)
        searched = self.detector is not None
        detection = None if self.detector is None else self.detector.detect(pixels)
        if detection is None and not self.options.crops:
            return _Prepared(source, NO_FACE, searched=searched)
        spec = self.classifier.spec
        if detection is None and spec.landmark_scheme is not None:
            reason = f"no face found, and {spec.model} needs its landmarks"
            return _Prepared(source, reason, searched=searched)
        height, width = pixels.shape[:2]
        five = five_points(self.detector, detection)
        crop = self.options.crops
        if five is not None and not self.preparation.accepts(five, width, height, crop=crop):
            if not crop:
                return _Prepared(source, IMPLAUSIBLE, searched=searched, detection=detection)
            five = None
        matrix = self.preparation.matrix(five, width, height, crop=crop)
        return _Prepared(
            source,
            pixels=self.preparation.render(pixels, matrix),
            landmarks=landmarks_for(spec, self.detector, detection, matrix),
            searched=searched,
            detection=detection,
            view=None if self.output is None else make_view(pixels),
        )

    @torch.inference_mode()
    def _classify(self, prepared: Sequence[_Prepared]) -> npt.NDArray[np.float32]:
        """Return probabilities, float32 (B, K).

        Raises:
            ModelFileError: An output is NaN or infinite.
        """
        if not prepared:
            return np.empty((0, len(self.classifier.spec.labels)), np.float32)
        pixels = [each.pixels for each in prepared if each.pixels is not None]
        points = [each.landmarks for each in prepared if each.landmarks is not None]
        images = torch.from_numpy(np.stack(pixels)).to(self.device)
        landmarks = torch.from_numpy(np.stack(points)).to(self.device) if points else None
        logits = self.classifier(images, landmarks).float().cpu()
        require_finite(logits.numpy(), self.classifier)
        return np.asarray(logits.softmax(dim=1).numpy())

    def _finish(
        self, prepared: _Prepared, probabilities: npt.NDArray[np.float32] | None
    ) -> Prediction:
        """Make the prediction, and write its row and its annotated image."""
        source, detection = prepared.source, prepared.detection
        values: dict[str, Any] = {
            "name": source.name,
            "path": source.path,
            "problem": prepared.problem or None,
        }
        if prepared.searched:
            values["faces"] = 0 if detection is None else detection.face_count
        if detection is not None:
            values["box"] = tuple(round(each, 2) for each in extent(detection.landmarks))
            values["rule"] = detection.rule
        if probabilities is not None:
            names = self.classifier.spec.labels
            order = np.argsort(-probabilities, kind="stable")
            ranked = {names[k]: round(float(probabilities[k]), 6) for k in order}
            values["label"], values["probability"] = next(iter(ranked.items()))
            values["probabilities"] = ranked
        prediction = Prediction(**values)
        if self.output is not None:
            if prepared.view is not None and prepared.pixels is not None:
                annotated = annotate(
                    prepared.view,
                    prepared.pixels,
                    list(prediction.probabilities.items())[: self.options.top],
                    box=prediction.box,
                    landmarks=None if detection is None else detection.landmarks,
                    note=prediction.note,
                )
                path = shown(self.output.save(source, annotated))
                prediction = prediction.model_copy(update={"annotated": path})
            self.output.add_row(prediction)
        return prediction


def _require_channels(classifier: Classifier, preparation: Preparation, folder: RunFolder) -> None:
    """Check that the record and the checkpoint agree on the images."""
    if classifier.spec.channels != preparation.channels:
        raise ModelFileError(
            f"{folder.path}: images have {preparation.channels} channel(s) in run.json and "
            f"{classifier.spec.channels} in the checkpoint; they are not of one run. Train again."
        )
