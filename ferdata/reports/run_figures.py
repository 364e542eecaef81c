"""The charts and tables of a run."""

from __future__ import annotations

import math

from ferdata.evaluation.columns import cells, heads
from ferdata.evaluation.metrics import ClassScore
from ferdata.reports.charts import (
    LineChart,
    ReliabilityChart,
    Table,
    line_chart,
    reliability_chart,
)
from ferdata.reports.views import EvaluationView, GroupAccuracies, RunView

_LOSSES = (("train loss", 1, "train_loss"), ("validation loss", 0, "validation_loss"))
_ACCURACIES = (("validation accuracy", 0, "validation_accuracy"),)


def curve_charts(run: RunView) -> list[LineChart]:
    """Draw losses and accuracy over the epochs, as far as they were recorded."""
    charts = []
    for title, columns, percent in (
        ("Loss", _LOSSES, False),
        ("Accuracy on validation", _ACCURACIES, True),
    ):
        lines = [
            (name, number, points)
            for name, number, column in columns
            if (points := _points(run, column))
        ]
        if lines:
            mark = run.best_epoch
            charts.append(line_chart(title, "epoch", lines, percent=percent, mark=mark))
    return charts


def _points(run: RunView, column: str) -> list[tuple[float, float]]:
    """Return the values of a column by epoch."""
    rows = [row for row in run.history if math.isfinite(row.get(column, math.nan))]
    return [(row["epoch"], row[column]) for row in rows]


def curve_table(run: RunView) -> Table:
    """List the metrics of every epoch."""
    names = list(dict.fromkeys(name for row in run.history for name in row))
    rows = [[f"{row[name]:.5g}" if name in row else "–" for name in names] for row in run.history]
    return Table("Metrics of every epoch", [name.replace("_", " ") for name in names], rows)


def score_table(evaluation: EvaluationView) -> Table:
    """List the scores of every class."""
    scores = evaluation.scores
    rows = [[each.label, *cells(each)] for each in (*scores.per_class, scores.macro_means())]
    return Table("Scores by class", ["class", *heads(ClassScore)], rows)


def calibration_chart(evaluation: EvaluationView) -> ReliabilityChart:
    """Draw accuracy by confidence."""
    calibration = evaluation.calibration
    return reliability_chart(
        "Accuracy by confidence",
        f"Predictions were correct in {evaluation.scores.accuracy:.1%}, with a mean confidence of "
        f"{calibration.mean_confidence:.1%}. On the diagonal both agree.",
        [(each.low, each.high, each.confidence, each.accuracy) for each in calibration.bins],
    )


def calibration_table(evaluation: EvaluationView) -> Table:
    """List the bins of the reliability diagram."""
    rows = [
        (
            f"{each.low:.1%}–{each.high:.1%}",
            f"{each.n:,}",
            "–" if each.confidence is None else f"{each.confidence:.1%}",
            "–" if each.accuracy is None else f"{each.accuracy:.1%}",
        )
        for each in evaluation.calibration.bins
    ]
    return Table("Predictions by confidence", ("confidence", "images", "mean", "accuracy"), rows)


def group_table(groups: GroupAccuracies) -> Table:
    """List the accuracy of each group."""
    rows = [
        (each.name, f"{each.n:,}", f"{each.accuracy:.1%}", f"{each.low:.1%}–{each.high:.1%}")
        for each in groups.groups
    ]
    heads_ = (groups.by, "images", "accuracy", "95 % interval")
    return Table(f"Accuracy by {groups.by}", heads_, rows)
