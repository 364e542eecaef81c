"""The report of an evaluation, and the files that it is written to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ValidationError

from ferdata.core.errors import BuildError
from ferdata.core.files import read_json, write_csv, write_json
from ferdata.evaluation.calibration import Calibration
from ferdata.evaluation.classes import ClassMatch
from ferdata.evaluation.columns import csv_cells, csv_heads
from ferdata.evaluation.groups import Grouping, GroupScore
from ferdata.evaluation.metrics import Scores

if TYPE_CHECKING:  # a report is read without torch
    from ferdata.evaluation.predictions import Predictions

REPORT_FILE = "report.json"
"""Name of the report in an evaluation's folder."""


class EvaluationReport(BaseModel):
    """Scores of a trained model on one split; written as `report.json`.

    Attributes:
        format: Version of this layout.
        run: Folder of the run.
        checkpoint: `"best"` on validation, or `"last"`.
        checkpoint_sha256: Hash of the checkpoint's file.
        model: Name of the model.
        build: Name of the build.
        plan_sha256: The build's plan.
        split: The split that was scored.
        split_digest: The name of the build's split, the same for equal splits; empty in a build
            that does not record it.
        label_space: Name of the model's label space.
        classes: How the build's classes match those of the model.
        leaks: Ways in which the build lets a model see test images in training, in words.
        scores: Accuracy, macro means, per-class table, confusion matrix.
        calibration: Calibration.
        groups: Scores by subject, attribute and dataset, where known.
        folder: Folder of the files of `write_report`.
    """

    format: Literal["ferdata-evaluation/3"] = "ferdata-evaluation/3"
    run: str
    checkpoint: str
    checkpoint_sha256: str
    model: str
    build: str
    plan_sha256: str
    split: str
    split_digest: str = ""
    label_space: str
    classes: ClassMatch
    leaks: list[str]
    scores: Scores
    calibration: Calibration
    groups: list[Grouping]
    folder: str

    @property
    def title(self) -> str:
        """Model, build, split and number of images."""
        return f"{self.model} on {self.build}, {self.split} split (n={self.scores.n})"

    @property
    def accuracy(self) -> float:
        """Fraction of images whose predicted class is the true one."""
        return self.scores.accuracy

    @property
    def macro_f1(self) -> float:
        """Unweighted mean of the classes' F1."""
        return self.scores.macro_f1

    def warnings(self) -> list[str]:
        """Return what a reader must know before the numbers; usually nothing."""
        found = []
        if self.leaks:
            leaks = "; ".join(leak.rstrip(".") for leak in self.leaks)
            found.append(f"This build leaks: {leaks}. Its scores are inflated.")
        if not self.classes.same:
            found.append(self.classes.description(self.split))
        return found


def write_report(
    report: EvaluationReport, predictions: Predictions, sample_ids: Sequence[str]
) -> None:
    """Write tables (CSV) and figures (PNG), and last `report.json`, into the report's folder.

    Args:
        report: The report.
        predictions: The predictions that were scored.
        sample_ids: The id of each image.

    Raises:
        BuildError: A file can't be written.
    """
    from ferdata.evaluation.figures import (  # noqa: PLC0415 - a report is read without matplotlib
        confusion_figure,
        reliability_figure,
        save_png,
    )

    folder, scores, names = Path(report.folder), report.scores, predictions.names
    write_csv(
        folder / "confusion.csv",
        ["true \\ predicted", *names],
        ([label, *row] for label, row in zip(names, scores.confusion, strict=True)),
    )
    write_csv(
        folder / "predictions.csv",
        ["sample_id", "label", "predicted", *names],
        _prediction_rows(predictions, sample_ids),
    )
    _write_groups(report.groups, folder / "groups.csv")
    confusion = confusion_figure(
        scores.confusion,
        names,
        title=report.title,
        subtitle=f"accuracy {scores.accuracy:.1%} "
        f"(95 % interval {scores.accuracy_low:.1%} to {scores.accuracy_high:.1%}), "
        f"macro F1 {scores.macro_f1:.3f}",
    )
    save_png(confusion, folder / "confusion.png")
    save_png(reliability_figure(report.calibration, title=report.title), folder / "reliability.png")
    write_json(folder / REPORT_FILE, report.model_dump(mode="json"))


def read_report(folder: Path) -> EvaluationReport | None:
    """Read the report in an evaluation's folder; None if there is none of this version."""
    try:
        return EvaluationReport.model_validate(read_json(folder / REPORT_FILE))
    except (BuildError, ValidationError):  # missing, truncated or older: to be written again
        return None


def _prediction_rows(predictions: Predictions, sample_ids: Sequence[str]) -> Iterable[list[str]]:
    """Yield one row per image: id, true class, predicted class, probability of each class."""
    names = predictions.names
    columns = zip(
        sample_ids,
        predictions.label.tolist(),
        predictions.predicted.tolist(),
        predictions.probabilities.tolist(),
        strict=True,
    )
    for sample_id, label, predicted, probabilities in columns:
        cells = [f"{value:.6f}" for value in probabilities]
        yield [sample_id, names[label], names[predicted], *cells]


def _write_groups(groupings: Iterable[Grouping], path: Path) -> None:
    """Write one row per group."""
    rows = (
        [grouping.by, group.name, grouping.split, *csv_cells(group)]
        for grouping in groupings
        for group in grouping.groups
    )
    write_csv(path, ["by", "group", "split", *csv_heads(GroupScore)], rows)
