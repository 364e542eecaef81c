"""The report of a training run, as values and as text."""

from __future__ import annotations

from pathlib import Path

from ferdata.evaluation.report import EvaluationReport
from ferdata.evaluation.report_text import evaluation_text
from ferdata.runs.record import RunResults


class RunReport(RunResults):
    """The results of a run, with its scores.

    Attributes:
        run: Folder of the run.
        build: Name of the build.
        model: Name of the model.
        recipe: The recipe that was used, if any.
        evaluation: Scores on the test split; None if the build has none.
    """

    run: str
    build: str
    model: str
    recipe: str | None = None
    evaluation: EvaluationReport | None


def run_text(report: RunReport, build: Path | None = None) -> str:
    """Return the results of a run and the next command.

    Args:
        report: The run's report.
        build: Folder of the build, as the user wrote it; None for the run's own.
    """
    trained = f"{report.model} on {report.build}: {report.epochs} epochs, {report.seconds:.0f} s"
    if report.best_epoch is not None:
        row = report.history[report.best_epoch - 1]
        trained += (
            f"; best epoch {report.best_epoch} with validation accuracy "
            f"{row['validation_accuracy']:.1%} and macro F1 {row['validation_macro_f1']:.3f}"
        )
    where = f"{report.run} {build}" if build else report.run
    parts = [trained]
    if report.evaluation is not None:
        parts.append(evaluation_text(report.evaluation))
    parts.append(
        f"run folder    {report.run}\nscore again   ferdata eval {where} --split validation"
    )
    return "\n\n".join(parts)
