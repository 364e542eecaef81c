"""`predict`: what a trained model says of new pictures."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel

from ferdata.core.errors import ImageError, ModelFileError
from ferdata.core.progress import progress_bar
from ferdata.deployment.annotate import View, annotate, make_view
from ferdata.deployment.face_finder import NO_FACE, five_points, landmarks_for, open_detector
from ferdata.deployment.image_files import Picture, find_pictures, read_upright, shown
from ferdata.deployment.output import OutputFolder
from ferdata.deployment.preparation import Preparation
from ferdata.evaluation.evaluate import torch_device
from ferdata.evaluation.predictions import require_numbers
from ferdata.faces.detection import Detection, extent
from ferdata.faces.detectors import LandmarkDetector
from ferdata.models.checkpoint import load_classifier
from ferdata.models.classifier import Classifier
from ferdata.runs.folder import RunFolder

logger = logging.getLogger(__name__)

_BATCH = 16  # pictures that are held at once


class Prediction(BaseModel):
    """What the model says of one picture.

    Attributes:
        image: The picture's path, as it was given or found.
        label: The likeliest class; None where there is no answer.
        probability: Its probability.
        probabilities: All classes, the likeliest first.
        box: Extent of the face's landmarks, x1 y1 x2 y2 in pixels of the upright picture; None
            where no face was looked for.
        faces: Faces that were found, at most four; None where none was looked for.
        rule: How the answered one was chosen, as in a manifest's `face_rule`.
        problem: Why there is no answer; None where there is one.
        annotated: The annotated picture, where one was written.
    """

    image: str
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] = {}
    box: tuple[float, float, float, float] | None = None
    faces: int | None = None
    rule: str | None = None
    problem: str | None = None
    annotated: str | None = None


def predict(
    run: Path,
    images: Sequence[Path],
    *,
    out: Path | None = None,
    top: int = 3,
    crops: bool = False,
    landmarks: str = "auto",
    checkpoint: str | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> Generator[Prediction, None, None]:
    """Classify new pictures with a run's model, one after the other.

    A picture is taken for a photograph: its face is found, and it is aligned as the run's build
    aligned its images; `ferdata.deployment.preparation` says how, also for builds of face crops. Of
    several faces the largest is answered. A picture that can't be read or shows no face is a
    `Prediction` with a `problem`; it ends nothing.

    This is a generator: nothing happens before the first answer is asked for, and memory does not
    grow with the number of pictures. Close it if not all answers are taken.

    Args:
        run: Folder of a run that `train` made.
        images: Files and folders; see `find_pictures`.
        out: Folder for annotated pictures and `predictions.csv`; none of `images`. None for
            neither.
        top: How many classes an annotated picture shows.
        crops: The pictures are face crops: they are treated as the build treats those, without
            looking for a face.
        landmarks: `auto`, or `none` to run no detector, for face crops only.
        checkpoint: `"best"` or `"last"`; default: as the run's `select` says.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Raises:
        OptionError: There is no run, no such picture, or options contradict each other.
        UnknownNameError: `landmarks` is neither of the two.
        ModelFileError: The checkpoint is missing or damaged, its answers are no numbers, or the
            landmark model can't be had.
        DetectorUnavailableError: The face detector is needed and can't run.
        BuildError: `out` can't be written.
    """
    pictures = find_pictures(images, without=out)
    folder = RunFolder(run)
    record = folder.read()
    preparation = Preparation.from_build(record.build)
    place = torch_device(device)
    classifier = load_classifier(folder.checkpoint(checkpoint or record.options.select))
    _require_channels(classifier, preparation, folder)
    if preparation.guesses and not crops:
        logger.warning(
            "%s was trained on face crops whose landmarks are not known: photographs are aligned "
            "to ferdata's template, which may show more or less of the face than the model learned "
            "from. Build with --landmarks auto and train again, or cut pictures yourself: --crops",
            folder.path,
        )
    with ExitStack() as stack:
        detector = stack.enter_context(
            open_detector(
                classifier.spec, preparation, crops=crops, landmarks=landmarks, quiet=quiet
            )
        )
        output = None
        if out is not None:
            output = stack.enter_context(OutputFolder(out, pictures, classifier.spec.labels))
        bar = stack.enter_context(progress_bar("predicting", len(pictures), quiet=quiet))
        job = _Job(classifier.to(place), place, preparation, detector, output, crops, top)
        rest = iter(pictures)
        while some := list(islice(rest, _BATCH)):
            for prediction in job.answer(some):
                bar.update()
                yield prediction


@dataclass(frozen=True)
class _Prepared:
    """A picture on its way to the model.

    Attributes:
        picture: The file.
        problem: Why it gets no answer, or "".
        image: uint8 (S, S, C), as the build would store it; None with a problem.
        points: The landmarks that the model takes, float32 (P, 2), or None.
        looked: Whether a face was looked for.
        detection: The face.
        view: The picture to draw on, where it is to be drawn on.
    """

    picture: Picture
    problem: str = ""
    image: npt.NDArray[np.uint8] | None = None
    points: npt.NDArray[np.float32] | None = None
    looked: bool = False
    detection: Detection | None = None
    view: View | None = None


@dataclass(frozen=True)
class _Job:
    """One call of `predict`, once everything is open."""

    classifier: Classifier
    device: torch.device
    preparation: Preparation
    detector: LandmarkDetector | None
    output: OutputFolder | None
    crops: bool
    top: int

    def answer(self, pictures: Sequence[Picture]) -> Iterator[Prediction]:
        """Answer some pictures, in their order."""
        prepared = [self._prepare(picture) for picture in pictures]
        ready = [one for one in prepared if one.image is not None]
        shares = iter(self._classify(ready))
        for one in prepared:
            share = next(shares) if one.image is not None else None
            yield self._finish(one, share)

    def _prepare(self, picture: Picture) -> _Prepared:
        """Read a picture, find its face, and make the image that the model sees."""
        try:
            pixels = read_upright(picture.path)
        except ImageError as error:
            return _Prepared(picture, error.reason)
        detection = None if self.detector is None else self.detector.detect(pixels)
        looked = self.detector is not None
        if detection is None and not self.crops:
            return _Prepared(picture, NO_FACE, looked=looked)
        spec = self.classifier.spec
        if detection is None and spec.landmark_scheme is not None:
            reason = f"no face found, and {spec.model} takes its landmarks beside the image"
            return _Prepared(picture, reason, looked=looked)
        height, width = pixels.shape[:2]
        five = five_points(self.detector, detection)
        matrix = self.preparation.matrix(five, width, height, crop=self.crops)
        return _Prepared(
            picture,
            image=self.preparation.render(pixels, matrix),
            points=landmarks_for(spec, self.detector, detection, matrix),
            looked=looked,
            detection=detection,
            view=None if self.output is None else make_view(pixels),
        )

    @torch.inference_mode()
    def _classify(self, ready: Sequence[_Prepared]) -> npt.NDArray[np.float32]:
        """Return probabilities, float32 (B, K).

        Raises:
            ModelFileError: The answers are no numbers.
        """
        if not ready:
            return np.empty((0, len(self.classifier.spec.labels)), np.float32)
        images = torch.from_numpy(np.stack([one.image for one in ready if one.image is not None]))
        points = [one.points for one in ready if one.points is not None]
        landmarks = torch.from_numpy(np.stack(points)).to(self.device) if points else None
        logits = self.classifier(images.to(self.device), landmarks).float().cpu()
        require_numbers(logits.numpy(), self.classifier)
        return np.asarray(logits.softmax(dim=1).numpy())

    def _finish(self, one: _Prepared, share: npt.NDArray[np.float32] | None) -> Prediction:
        """Make the answer, and write down what is to be written."""
        prediction = Prediction(image=one.picture.shown, problem=one.problem or None)
        _describe_face(prediction, one)
        if share is not None:
            names = self.classifier.spec.labels
            order = np.argsort(-share, kind="stable")
            ranked = [(names[k], round(float(share[k]), 6)) for k in order]
            prediction.label, prediction.probability = ranked[0]
            prediction.probabilities = dict(ranked)
            if self.output is not None:
                prediction.annotated = shown(self._draw(one, ranked, prediction, self.output))
        if self.output is not None:
            self.output.add_row(prediction.model_dump())
        return prediction

    def _draw(
        self,
        one: _Prepared,
        ranked: Sequence[tuple[str, float]],
        prediction: Prediction,
        output: OutputFolder,
    ) -> Path:
        """Write the annotated picture; return its file."""
        if one.view is None or one.image is None:
            raise ValueError("a picture is to be drawn on and was not kept")
        pixels = annotate(
            one.view,
            one.image,
            ranked[: self.top],
            box=prediction.box,
            landmarks=None if one.detection is None else one.detection.landmarks,
            note=face_note(prediction),
        )
        return output.save(one.picture, pixels)


def face_note(prediction: Prediction) -> str:
    """Say which face was answered, where there was a choice."""
    if prediction.faces is None or prediction.faces < 2:
        return ""
    return f"{prediction.faces} faces; this is the largest"


def _describe_face(prediction: Prediction, one: _Prepared) -> None:
    """Fill in what was found where a face was looked for."""
    if one.looked:
        prediction.faces = 0 if one.detection is None else one.detection.face_count
    if one.detection is not None:
        x1, y1, x2, y2 = (round(value, 2) for value in extent(one.detection.landmarks))
        prediction.box = (x1, y1, x2, y2)
        prediction.rule = one.detection.rule


def _require_channels(classifier: Classifier, preparation: Preparation, folder: RunFolder) -> None:
    """Check that the record and the checkpoint speak of the same images."""
    if classifier.spec.channels != preparation.channels:
        raise ModelFileError(
            f"{folder.path}: run.json says that images have {preparation.channels} channel(s), the "
            f"checkpoint {classifier.spec.channels}; they are not of one run. Train again."
        )
