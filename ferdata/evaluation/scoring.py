"""Scores of a trained model on one split of a build."""

from __future__ import annotations

import logging
from pathlib import Path

from ferdata.core.errors import BuildError
from ferdata.core.files import sha256_file
from ferdata.data import Build, SplitArrays
from ferdata.evaluation.calibration import calibrate
from ferdata.evaluation.classes import match_classes
from ferdata.evaluation.groups import group_scores, read_columns
from ferdata.evaluation.metrics import score
from ferdata.evaluation.mistakes import write_mistakes
from ferdata.evaluation.predictions import predict_split
from ferdata.evaluation.report import EvaluationReport, write_report
from ferdata.models.checkpoint import load_classifier
from ferdata.models.device import torch_device
from ferdata.models.spec import ModelSpec
from ferdata.runs.folder import RunFolder

logger = logging.getLogger(__name__)


def evaluate(
    run: Path,
    build: Path,
    split: str = "test",
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> EvaluationReport:
    """Score a run's model on a split and write the report into the run's folder.

    On a build with other classes, those that it shares with the model are scored, see `ClassMatch`.

    Args:
        run: Folder of a run that `train` made.
        build: Folder of a build that shares at least two classes with the model.
        split: Name of the split.
        checkpoint: `"best"` or `"last"`; default: the one that the run selected.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Raises:
        OptionError: `run` is not a run, or the device is not available.
        ModelFileError: The checkpoint is missing or damaged, or its logits are NaN or infinite.
        LabelError: Model and build share fewer than two classes.
        UnknownNameError: The build has no such split.
        BuildError: The build can't be read, its images have another number of channels, it lacks
            landmarks that the model takes, or the split has no image to score.
        ManifestError: The build's manifest can't be read.
    """
    folder, data = RunFolder(run), Build.open(build)
    which = checkpoint or folder.read().options.select
    classifier = load_classifier(folder.model_file(which))
    spec = classifier.spec
    match = match_classes(spec.space(), data.label_space, f"the build {data.root}")
    _require_images(spec, data, split)
    predictions = predict_split(classifier, data, split, torch_device(device), quiet=quiet)
    arrays = SplitArrays(data, split)
    target = folder.evaluation(data.name, data.plan_sha256, split, which)
    report = EvaluationReport(
        run=str(run),
        checkpoint=which,
        checkpoint_sha256=sha256_file(folder.model_file(which)),
        model=spec.model,
        build=data.name,
        plan_sha256=data.plan_sha256,
        split=split,
        split_digest=data.record.split_digest,
        label_space=spec.label_space,
        classes=match.model_copy(update={"excluded": match.excluded | predictions.excluded}),
        leaks=list(data.leaks),
        scores=score(predictions.confusion(), spec.labels),
        calibration=calibrate(predictions.log_probabilities, predictions.label),
        groups=group_scores(predictions, read_columns(data, arrays, predictions.index), split),
        folder=str(target),
    )
    write_mistakes(predictions, arrays, target, title=report.title)
    write_report(report, predictions, arrays.column("sample_id").take(predictions.index).tolist())
    return report


def _require_images(spec: ModelSpec, build: Build, split: str) -> None:
    """Check that the split has images and that the model can take them."""
    if build.split(split).rows == 0:
        raise BuildError(f"{build.root}: the split {split!r} is empty; evaluate another one.")
    image = build.image
    if image.channels != spec.channels:
        color = "rgb" if spec.channels == 3 else "gray"
        raise BuildError(
            f"{build.root}: images have {image.channels} channel(s), the model takes "
            f"{spec.channels}; build again with --color {color}."
        )
    if spec.landmark_scheme not in (None, build.landmarks.scheme):
        raise BuildError(
            f"{build.root}: landmarks have the scheme {build.landmarks.scheme!r}, the model "
            f"takes {spec.landmark_scheme!r}; build again with the --landmarks of the run's build, "
            "or train on this build."
        )
    if (image.height, image.width) != spec.input_size:
        logger.info(
            "images of %d×%d pixels are resized to the model's %d×%d",
            image.width,
            image.height,
            spec.input_size[1],
            spec.input_size[0],
        )
