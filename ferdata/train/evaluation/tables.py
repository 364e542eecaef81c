"""Scores as text for a terminal."""

from __future__ import annotations

from pathlib import Path

from ferdata.train.evaluate import EvaluationReport
from ferdata.train.metrics import Scores
from ferdata.train.train import RunReport


def run_text(report: RunReport, build: Path) -> str:
    """Tell what a run came to, and what to do next.

    Args:
        report: The run's report.
        build: Folder of the build, as the user wrote it.
    """
    trained = f"{report.model} on {report.build}: {report.epochs} epochs, {report.seconds:.0f} s"
    if report.best_epoch is not None:
        row = report.history[report.best_epoch - 1]
        trained += (
            f"; best epoch {report.best_epoch} with validation accuracy "
            f"{row['validation_accuracy']:.1%} and macro F1 {row['validation_macro_f1']:.3f}"
        )
    parts = [trained]
    if report.evaluation is not None:
        parts.append(evaluation_text(report.evaluation))
    parts.append(
        f"run folder    {report.run}\n"
        f"score again   ferdata eval {report.run} {build} --split validation"
    )
    return "\n\n".join(parts)


def evaluation_text(report: EvaluationReport) -> str:
    """Tell the scores of one split, and where they are written."""
    return (
        f"{report.model} ({report.checkpoint} checkpoint) on {report.build}\n\n"
        f"{score_table(report.scores, report.split)}\n\n"
        f"confusion matrix, CSV and JSON in {report.folder}"
    )


def score_table(scores: Scores, split: str) -> str:
    """Lay out a split's scores: one line per class, then means, then the baseline.

    Args:
        scores: The scores.
        split: Name of the split; it stands beside the numbers.
    """
    width = max(12, *(len(entry.label) for entry in scores.per_class))
    lines = [
        f"{split + ' split':<{width}}  {'images':>6}  precision  recall      F1",
        *(
            f"{entry.label:<{width}}  {entry.n:>6}  {entry.precision:>9.3f}  "
            f"{_number(entry.recall)}  {_number(entry.f1)}"
            for entry in scores.per_class
        ),
        f"{'macro mean':<{width}}  {scores.n:>6}  {scores.macro_precision:>9.3f}  "
        f"{scores.macro_recall:>6.3f}  {scores.macro_f1:>6.3f}",
        "",
        f"{split} accuracy {scores.accuracy:.1%} (95 % interval {scores.accuracy_low:.1%} to "
        f"{scores.accuracy_high:.1%}, n={scores.n}); always answering "
        f"{scores.majority_label!r}: {scores.majority_accuracy:.1%}",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    """Format a score; a class without images has none."""
    return f"{'–':>6}" if value is None else f"{value:>6.3f}"
