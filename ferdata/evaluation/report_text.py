"""An evaluation as text for a terminal."""

from __future__ import annotations

import textwrap

from ferdata.core.tables import text_table
from ferdata.evaluation.columns import cells, heads, sentence
from ferdata.evaluation.groups import Grouping, GroupScore
from ferdata.evaluation.metrics import ClassScore, Scores
from ferdata.evaluation.report import EvaluationReport

_WIDTH = 100  # columns of a paragraph
_MOST_GROUPS = 12  # a longer list of groups is summarized in one line


def evaluation_text(report: EvaluationReport) -> str:
    """Return the scores on one split, and where they are written."""
    split = report.split
    return "\n\n".join(
        [
            f"{report.model} ({report.checkpoint} checkpoint) on {report.build}{_digest(report)}",
            *map(paragraph, report.warnings()),
            score_table(report.scores, split),
            paragraph(f"{split} calibration: {sentence(report.calibration)}"),
            *map(group_table, report.groups),
            "report.json, predictions, confusion matrix, calibration and errors in "
            f"{report.folder}",
        ]
    )


def _digest(report: EvaluationReport) -> str:
    return f"\n{report.split} of {report.split_digest}" if report.split_digest else ""


def score_table(scores: Scores, split: str) -> str:
    """Return one line per class, the means, then the metrics of the whole split.

    Args:
        scores: The scores.
        split: Name of the split.
    """
    rows = [[entry.label, *cells(entry)] for entry in (*scores.per_class, scores.macro_means())]
    table = text_table([f"{split} split", *heads(ClassScore)], rows)
    overall = paragraph(
        f"{split} {sentence(scores, scores.overall())}, n={scores.n}; always predicting "
        f"{scores.majority_label!r}: {scores.majority_accuracy:.1%}"
    )
    return f"{table}\n\n{overall}"


def group_table(grouping: Grouping) -> str:
    """Return the scores of each group; of many groups only number, mean and lowest."""
    lowest = grouping.group(grouping.lowest)
    unknown = f", {grouping.unknown} images unknown" if grouping.unknown else ""
    noun = "subjects" if grouping.by == "subject" else "groups"
    by = grouping.by.replace("_", " ")
    summary = (
        f"{grouping.split} split by {by}: {len(grouping.groups)} {noun}, mean accuracy "
        f"{grouping.mean_accuracy:.1%}, lowest {lowest.accuracy:.1%} ({lowest.name}, n={lowest.n})"
        f"{unknown}"
    )
    if grouping.by == "subject" or len(grouping.groups) > _MOST_GROUPS:
        return summary
    rows = [[group.name, *cells(group)] for group in grouping.groups]
    return f"{summary}\n{text_table([by, *heads(GroupScore)], rows)}"


def paragraph(text: str) -> str:
    """Break a text into lines for a terminal."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
