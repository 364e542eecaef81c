"""Scores of a trained model on one split of a build."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel
from torch import nn

from ferdata.data import Build, ShardLoader
from ferdata.errors import BuildError, OptionError
from ferdata.files import write_atomically, write_json
from ferdata.progress import progress_bar
from ferdata.train.checkpoint import load_model
from ferdata.train.facts import ModelFacts
from ferdata.train.figures import confusion_figure, save_png
from ferdata.train.metrics import Scores, score
from ferdata.train.preprocess import Preprocess
from ferdata.train.run_folder import RunFolder

logger = logging.getLogger(__name__)

EVALUATION_BATCH = 128
"""Images per forward pass; scores don't depend on it."""


class EvaluationReport(BaseModel):
    """What a trained model scores on one split; written as `report.json`.

    Attributes:
        run: Folder of the run.
        checkpoint: `"best"` on validation, or `"last"`.
        model: Name of the model.
        build: Name of the build.
        plan_sha256: The build's plan.
        split: The split that all scores are of.
        label_space: Name of the label space.
        scores: The scores.
        folder: Where `report.json`, `confusion.csv` and `confusion.png` are.
    """

    run: str
    checkpoint: str
    model: str
    build: str
    plan_sha256: str
    split: str
    label_space: str
    scores: Scores
    folder: str


def evaluate(
    run: Path,
    build: Path,
    split: str = "test",
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    quiet: bool = False,
) -> EvaluationReport:
    """Score a run's model on a split and write the scores into the run's folder.

    Args:
        run: Folder of a run that `train` made.
        build: Folder of a build with the same classes.
        split: Name of the split.
        checkpoint: `"best"` or `"last"`; default: as the run's `select` says.
        device: `"auto"`, `"cpu"` or `"gpu"`.
        quiet: Show no progress.

    Raises:
        OptionError: `run` is no run, or the device is not there.
        ModelFileError: The checkpoint is missing or damaged.
        LabelError: The build's label space is not the model's.
        UnknownNameError: The build has no such split.
        BuildError: The build can't be read, or its images have other channels.
    """
    folder, data = RunFolder(run), Build.open(build)
    which = checkpoint or folder.read().options.select
    model, facts = load_model(folder.checkpoint(which))
    facts.require_labels(data.label_space, f"the build {data.root}")
    _require_images(facts, data, split)
    classifier = nn.Sequential(Preprocess(facts.mean, facts.std, facts.input_size), model)
    confusion = _confusion(classifier, data, split, torch_device(device), quiet=quiet)
    target = folder.evaluation(data.name, split, which)
    report = EvaluationReport(
        run=str(run),
        checkpoint=which,
        model=facts.model,
        build=data.name,
        plan_sha256=data.plan_sha256,
        split=split,
        label_space=facts.label_space,
        scores=score(confusion, facts.labels),
        folder=str(target),
    )
    _write(report, facts, target)
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


def _require_images(facts: ModelFacts, build: Build, split: str) -> None:
    """Check that the split has images and that the model can take them."""
    if build.split(split).rows == 0:
        raise BuildError(f"{build.root}: split {split!r} is empty; evaluate another one.")
    image = build.image
    if image.channels != facts.channels:
        color = "rgb" if facts.channels == 3 else "gray"
        raise BuildError(
            f"{build.root}: images have {image.channels} channel(s), the model takes "
            f"{facts.channels}; build again with --color {color}."
        )
    if (image.height, image.width) != facts.input_size:
        logger.info(
            "images of %d×%d pixels are resized to the model's %d×%d",
            image.width,
            image.height,
            facts.input_size[1],
            facts.input_size[0],
        )


@torch.inference_mode()
def _confusion(
    classifier: nn.Module, build: Build, split: str, device: torch.device, *, quiet: bool
) -> npt.NDArray[np.int64]:
    """Count true classes against answers, int64, shape (K, K)."""
    classes = len(build.label_space)
    counts = np.zeros((classes, classes), dtype=np.int64)
    classifier = classifier.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    loader = ShardLoader(build, split, batch_size=EVALUATION_BATCH, shuffle=False)
    with progress_bar(f"evaluating {split}", build.split(split).rows, quiet=quiet) as bar:
        for batch in loader:
            answers = classifier(batch["image"].to(device)).argmax(dim=1).cpu().numpy()
            np.add.at(counts, (batch["label"].numpy(), answers), 1)
            bar.update(len(answers))
    return counts


def _write(report: EvaluationReport, facts: ModelFacts, folder: Path) -> None:
    """Write the report as JSON and the confusion matrix as CSV and PNG."""
    scores = report.scores
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["true \\ predicted", *facts.labels])
    writer.writerows(
        [label, *row] for label, row in zip(facts.labels, scores.confusion, strict=True)
    )
    with write_atomically(folder / "confusion.csv") as file:
        file.write(text.getvalue().encode())
    figure = confusion_figure(
        scores.confusion,
        facts.labels,
        title=f"{report.model} on {report.build}, {report.split} split (n={scores.n})",
        subtitle=f"accuracy {scores.accuracy:.1%} "
        f"(95 % interval {scores.accuracy_low:.1%} to {scores.accuracy_high:.1%}), "
        f"macro F1 {scores.macro_f1:.3f}",
    )
    save_png(figure, folder / "confusion.png")
    write_json(folder / "report.json", report.model_dump(mode="json"))
