"""Scores of a trained model on one split of a build."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from ferdata.core.errors import BuildError, OptionError
from ferdata.core.files import sha256_file
from ferdata.data import Build, SplitArrays
from ferdata.evaluation.calibration import calibrate
from ferdata.evaluation.classes import match_classes
from ferdata.evaluation.groups import group_scores, read_columns
from ferdata.evaluation.metrics import score
from ferdata.evaluation.mistakes import write_mistakes
from ferdata.evaluation.predictions import collect_answers
from ferdata.evaluation.report import EvaluationReport, write_report
from ferdata.models.checkpoint import load_classifier
from ferdata.models.spec import ModelSpec
from ferdata.runs.folder import RunFolder

__all__ = ["EvaluationReport", "evaluate", "torch_device"]

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
    """Score a run's model on a split and write what was found into the run's folder.

    A build with other classes is evaluated on those that it shares with the model, see
    `ClassMatch`.

    Args:
        run: Folder of a run that `train` made.
        build: Folder of a build that shares at least two classes with the model.
        split: Name of the split.
        checkpoint: `"best"` or `"last"`; default: as the run's `select` says.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Raises:
        OptionError: `run` is no run, or the device is not there.
        ModelFileError: The checkpoint is missing or damaged, or its answers are no numbers.
        LabelError: Model and build share fewer than two classes.
        UnknownNameError: The build has no such split.
        BuildError: The build can't be read, its images have other channels, it lacks landmarks
            that the model takes, or the split has no image to score.
        ManifestError: The build's manifest can't be read.
    """
    folder, data = RunFolder(run), Build.open(build)
    which = checkpoint or folder.read().options.select
    classifier = load_classifier(folder.checkpoint(which))
    spec = classifier.spec
    match = match_classes(spec.space(), data.label_space, f"the build {data.root}")
    _require_images(spec, data, split)
    answers = collect_answers(classifier, data, split, torch_device(device), quiet=quiet)
    arrays = SplitArrays(data, split)
    target = folder.evaluation(data.name, data.plan_sha256, split, which)
    report = EvaluationReport(
        run=str(run),
        checkpoint=which,
        checkpoint_sha256=sha256_file(folder.checkpoint(which)),
        model=spec.model,
        build=data.name,
        plan_sha256=data.plan_sha256,
        split=split,
        label_space=spec.label_space,
        classes=match.model_copy(update={"left_out": {**match.left_out, **answers.left_out}}),
        leaks=list(data.leaks),
        scores=score(answers.confusion(), spec.labels),
        calibration=calibrate(answers.log_probabilities, answers.label),
        groups=group_scores(answers, read_columns(data, arrays, answers.index), split),
        folder=str(target),
    )
    write_mistakes(answers, arrays, target, title=report.title)
    write_report(report, answers, arrays.column("sample_id").take(answers.index).tolist())
    return report


def torch_device(device: str) -> torch.device:
    """Return the device that a word asks for.

    Args:
        device: `"auto"` (a GPU where there is one), `"cpu"` or `"gpu"`.

    Raises:
        OptionError: A GPU is asked for and torch sees none.
    """
    if device == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if device == "gpu":
        raise OptionError(
            f"--device gpu: torch {torch.__version__} sees no GPU; "
            "use --device cpu, or install the torch build for this machine's driver."
        )
    return torch.device("cpu")


def _require_images(spec: ModelSpec, build: Build, split: str) -> None:
    """Check that the split has images and that the model can take them."""
    if build.split(split).rows == 0:
        raise BuildError(f"{build.root}: split {split!r} is empty; evaluate another one.")
    image = build.image
    if image.channels != spec.channels:
        color = "rgb" if spec.channels == 3 else "gray"
        raise BuildError(
            f"{build.root}: images have {image.channels} channel(s), the model takes "
            f"{spec.channels}; build again with --color {color}."
        )
    if spec.landmark_scheme not in (None, build.landmarks.scheme):
        raise BuildError(
            f"{build.root}: landmarks are of the scheme {build.landmarks.scheme!r}, the model "
            f"takes {spec.landmark_scheme!r} beside the image; build again with the --landmarks "
            "that the run's build had, or train on this build."
        )
    if (image.height, image.width) != spec.input_size:
        logger.info(
            "images of %d×%d pixels are resized to the model's %d×%d",
            image.width,
            image.height,
            spec.input_size[1],
            spec.input_size[0],
        )
