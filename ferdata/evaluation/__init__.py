"""Scores of trained models: metrics, tables, figures, and runs side by side.

    report = evaluate(Path("runs/mine"), Path("out/rafdb"), split="test")
    comparison = compare([Path("runs/mine"), Path("runs/yours")])

Names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.evaluation.comparison import Comparison, compare
    from ferdata.evaluation.comparison_tables import comparison_text, writer_for
    from ferdata.evaluation.report import EvaluationReport
    from ferdata.evaluation.scoring import evaluate

__all__ = ["Comparison", "EvaluationReport", "compare", "comparison_text", "evaluate", "writer_for"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Comparison": "comparison",
        "EvaluationReport": "report",
        "compare": "comparison",
        **dict.fromkeys(("comparison_text", "writer_for"), "comparison_tables"),
        "evaluate": "scoring",
    },
)
