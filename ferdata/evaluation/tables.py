"""Scores as text for a terminal."""

from __future__ import annotations

import textwrap

from ferdata.evaluation.calibration import Calibration
from ferdata.evaluation.groups import Grouping
from ferdata.evaluation.metrics import Scores
from ferdata.evaluation.report import EvaluationReport

_WIDTH = 100  # columns of a paragraph
_MOST_GROUPS = 12  # a longer list of groups is told in one line


def evaluation_text(report: EvaluationReport) -> str:
    """Tell what was found on one split, and where it is written."""
    parts = [
        f"{report.model} ({report.checkpoint} checkpoint) on {report.build}",
        *(paragraph(warning) for warning in report.warnings()),
        score_table(report.scores, report.split),
        calibration_line(report.calibration, report.split),
        *(group_table(grouping) for grouping in report.groups),
        f"report.json, predictions, confusion matrix, calibration and mistakes in {report.folder}",
    ]
    return "\n\n".join(parts)


def score_table(scores: Scores, split: str) -> str:
    """Lay out a split's scores: one line per class, then means, then the baseline.

    Args:
        scores: The scores.
        split: Name of the split; it stands beside the numbers.
    """
    width = max(12, *(len(entry.label) for entry in scores.per_class))
    lines = [
        f"{split + ' split':<{width}}  {'images':>6}  precision  recall  (95 % interval)      F1",
        *(
            f"{entry.label:<{width}}  {entry.n:>6}  {entry.precision:>9.3f}  "
            f"{_number(entry.recall)}  {_interval(entry.recall_low, entry.recall_high)}  "
            f"{_number(entry.f1)}"
            for entry in scores.per_class
        ),
        f"{'macro mean':<{width}}  {scores.n:>6}  {scores.macro_precision:>9.3f}  "
        f"{scores.macro_recall:>6.3f}  {'':>15}  {scores.macro_f1:>6.3f}",
        "",
        f"{split} accuracy {scores.accuracy:.1%} (95 % interval {scores.accuracy_low:.1%} to "
        f"{scores.accuracy_high:.1%}, n={scores.n}); always answering "
        f"{scores.majority_label!r}: {scores.majority_accuracy:.1%}",
    ]
    return "\n".join(lines)


def calibration_line(calibration: Calibration, split: str) -> str:
    """Tell the calibration on a split in two lines."""
    return (
        f"{split} calibration: expected error {calibration.expected_error:.1%} "
        f"({len(calibration.bins)} bins), mean confidence {calibration.mean_confidence:.1%},\n"
        f"negative log-likelihood {calibration.negative_log_likelihood:.3f} nats, "
        f"Brier score {calibration.brier:.3f} (0 to 2)"
    )


def group_table(grouping: Grouping) -> str:
    """Lay out the scores of each group; of many groups only how many, the mean and the lowest."""
    lowest = grouping.group(grouping.lowest)
    unknown = f", {grouping.unknown} images unknown" if grouping.unknown else ""
    noun = "people" if grouping.by == "subject" else "groups"
    by = grouping.by.replace("_", " ")
    summary = (
        f"{grouping.split} split by {by}: {len(grouping.groups)} {noun}, mean accuracy "
        f"{grouping.mean_accuracy:.1%}, lowest {lowest.accuracy:.1%} ({lowest.name}, n={lowest.n})"
        f"{unknown}"
    )
    if grouping.by == "subject" or len(grouping.groups) > _MOST_GROUPS:
        return summary
    width = max(12, *(len(group.name) for group in grouping.groups))
    lines = [
        f"{'':<{width}}  images  accuracy  (95 % interval)  macro F1",
        *(
            f"{group.name:<{width}}  {group.n:>6}  {group.accuracy:>8.1%}  "
            f"{f'{group.accuracy_low:.1%}–{group.accuracy_high:.1%}':>15}  {group.macro_f1:>8.3f}"
            for group in grouping.groups
        ),
    ]
    return "\n".join([summary, *lines])


def paragraph(text: str) -> str:
    """Break a text into lines for a terminal."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _number(value: float | None) -> str:
    """Format a score; a class without images has none."""
    return f"{'–':>6}" if value is None else f"{value:>6.3f}"


def _interval(low: float | None, high: float | None) -> str:
    """Format an interval; a class without images has none."""
    return f"{'–' if low is None else f'{low:.3f}–{high:.3f}':>15}"
