"""The report of an evaluation, and the files that it is written to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from ferdata.core.errors import BuildError
from ferdata.core.files import read_json, write_csv, write_json
from ferdata.evaluation.calibration import Calibration
from ferdata.evaluation.classes import ClassMatch
from ferdata.evaluation.figures import confusion_figure, reliability_figure, save_png
from ferdata.evaluation.groups import Grouping
from ferdata.evaluation.metrics import Scores
from ferdata.evaluation.predictions import Answers

REPORT_FILE = "report.json"
"""Name of the report in an evaluation's folder."""


class EvaluationReport(BaseModel):
    """What a trained model scores on one split; written as `report.json`.

    Attributes:
        format: Version of this layout.
        run: Folder of the run.
        checkpoint: `"best"` on validation, or `"last"`.
        checkpoint_sha256: Hash of the checkpoint's file.
        model: Name of the model.
        build: Name of the build.
        plan_sha256: The build's plan.
        split: The split that all numbers are of.
        label_space: Name of the model's label space.
        classes: How the build's classes are those of the model.
        leaks: Ways in which the build lets a model see what it is tested on, in words.
        scores: Accuracy, macro means, per-class table, confusion matrix.
        calibration: Calibration.
        groups: Scores by person, attribute and dataset, where known.
        folder: Where the files of `write_report` are.
    """

    format: Literal["ferdata-evaluation/2"] = "ferdata-evaluation/2"
    run: str
    checkpoint: str
    checkpoint_sha256: str
    model: str
    build: str
    plan_sha256: str
    split: str
    label_space: str
    classes: ClassMatch
    leaks: list[str]
    scores: Scores
    calibration: Calibration
    groups: list[Grouping]
    folder: str

    @property
    def title(self) -> str:
        """What was evaluated on what, with the split and the number of images."""
        return f"{self.model} on {self.build}, {self.split} split (n={self.scores.n})"

    def warnings(self) -> list[str]:
        """Say what a reader must know before the numbers; nothing in the usual case."""
        found = []
        if self.leaks:
            leaks = "; ".join(leak.rstrip(".") for leak in self.leaks)
            found.append(f"this build leaks: {leaks}; scores are inflated.")
        if not self.classes.same:
            found.append(self.classes.words(self.split))
        return found


def write_report(report: EvaluationReport, answers: Answers, sample_ids: Sequence[str]) -> None:
    """Write `report.json`, last, and beside it tables (CSV) and figures (PNG).

    Args:
        report: The report.
        answers: The answers that it is of.
        sample_ids: The id of each answered image.

    Raises:
        BuildError: A file can't be written.
    """
    folder, scores, calibration = Path(report.folder), report.scores, report.calibration
    write_csv(
        folder / "confusion.csv",
        ["true \\ predicted", *answers.names],
        ([label, *row] for label, row in zip(answers.names, scores.confusion, strict=True)),
    )
    write_csv(
        folder / "predictions.csv",
        ["sample_id", "label", "predicted", *answers.names],
        _prediction_rows(answers, sample_ids),
    )
    write_csv(
        folder / "groups.csv",
        ["by", "group", "split", "n", "accuracy", "accuracy_low", "accuracy_high", "macro_f1"],
        _group_rows(report.groups),
    )
    confusion = confusion_figure(
        scores.confusion,
        answers.names,
        title=report.title,
        subtitle=f"accuracy {scores.accuracy:.1%} "
        f"(95 % interval {scores.accuracy_low:.1%} to {scores.accuracy_high:.1%}), "
        f"macro F1 {scores.macro_f1:.3f}",
    )
    save_png(confusion, folder / "confusion.png")
    save_png(reliability_figure(calibration, title=report.title), folder / "reliability.png")
    write_json(folder / REPORT_FILE, report.model_dump(mode="json"))


def read_report(folder: Path) -> EvaluationReport | None:
    """Read the report in an evaluation's folder; None where there is none of this version."""
    try:
        return EvaluationReport.model_validate(read_json(folder / REPORT_FILE))
    except (BuildError, ValidationError):  # not there, cut off, or older: to be made anew
        return None


def _prediction_rows(answers: Answers, sample_ids: Sequence[str]) -> Iterable[list[str]]:
    """Give one row per image: id, true class, answer, probability of each class."""
    names = answers.names
    columns = zip(
        sample_ids,
        answers.label.tolist(),
        answers.predicted.tolist(),
        answers.probabilities.tolist(),
        strict=True,
    )
    for sample_id, label, predicted, probabilities in columns:
        shares = [f"{value:.6f}" for value in probabilities]
        yield [sample_id, names[label], names[predicted], *shares]


def _group_rows(groupings: Iterable[Grouping]) -> Iterable[list[Any]]:
    """Give one row per group."""
    for grouping in groupings:
        for group in grouping.groups:
            yield [
                grouping.by, group.name, grouping.split, group.n, f"{group.accuracy:.6f}",
                f"{group.accuracy_low:.6f}", f"{group.accuracy_high:.6f}", f"{group.macro_f1:.6f}",
            ]  # fmt: skip
