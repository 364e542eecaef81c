"""Scores that show themselves, in a terminal and in a notebook."""

from __future__ import annotations

from html import escape

from ferdata.core import html
from ferdata.evaluation.columns import cells, heads, sentence
from ferdata.evaluation.comparison import Comparison
from ferdata.evaluation.comparison_tables import comparison_blocks, comparison_text
from ferdata.evaluation.metrics import ClassScore
from ferdata.evaluation.report import EvaluationReport
from ferdata.evaluation.report_text import evaluation_text


class Evaluation(EvaluationReport):
    """Scores of a trained model on one split; see `ferdata.evaluation.EvaluationReport`."""

    def __repr__(self) -> str:
        return evaluation_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        scores = self.scores
        per_class = (*scores.per_class, scores.macro_means())
        return "".join(
            [
                f"<h4>{escape(self.title)}</h4>",
                html.warnings(self.warnings()),
                html.definitions(
                    {
                        "scores": sentence(scores, scores.overall()),
                        "calibration": sentence(self.calibration),
                        "files": self.folder,
                    }
                ),
                html.table(
                    ["class", *heads(ClassScore)],
                    [[each.label, *cells(each)] for each in per_class],
                ),
            ]
        )


class ComparedRuns(Comparison):
    """Runs side by side; see `ferdata.evaluation.Comparison`."""

    def __repr__(self) -> str:
        return comparison_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        parts = [html.warnings(self.notes)]
        for block in comparison_blocks(self):
            table = html.table(block.heads, block.rows) if block.heads else ""
            notes = "".join(f"<p>{escape(note)}</p>" for note in block.notes)
            parts.append(f"<h4>{escape(block.title)}</h4>{table}{notes}")
        return "".join(parts)
