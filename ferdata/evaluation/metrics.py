"""Scores of a classifier, all of them from one confusion matrix.

A metric is a field of `Scores` or `ClassScore` with a `Column`, and a line that computes it; every
table and file follows (`ferdata.evaluation.columns`). The table of classes also shows the mean over
classes if `Scores` has a field `macro_NAME`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ferdata.evaluation.columns import Column, columns

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


class ClassScore(BaseModel):
    """Scores of one class.

    Attributes:
        label: Class name.
        n: Images of this class in the split.
        precision: Fraction of its predictions that are correct; 0 if it is never predicted.
        recall: Fraction of its images that are predicted correctly; None if there are none.
        recall_low: Lower end of the Wilson 95 % interval of the recall; None as above.
        recall_high: Upper end of it.
        f1: Harmonic mean of precision and recall; None as above.
    """

    label: str
    n: Annotated[int, Column("images", "d")]
    precision: Annotated[float, Column("precision")]
    recall: Annotated[float | None, Column("recall", interval=".3f")]
    recall_low: float | None
    recall_high: float | None
    f1: Annotated[float | None, Column("F1")]


class Scores(BaseModel):
    """Scores of a classifier on one split.

    Attributes:
        n: Images.
        accuracy: Fraction of correct predictions.
        accuracy_low: Lower end of the Wilson 95 % interval of the accuracy.
        accuracy_high: Upper end of it.
        majority_label: The split's most frequent class.
        majority_accuracy: Accuracy of always predicting it.
        macro_precision: Mean over the classes that the split has.
        macro_recall: Mean over the classes that the split has.
        macro_f1: Mean over the classes that the split has.
        per_class: One entry per class, in label order.
        confusion: Counts; rows are true classes, columns are predictions, in label order.
    """

    n: Annotated[int, Column("images", "d")]
    accuracy: Annotated[float, Column("accuracy", ".2%", interval=".1%")]
    accuracy_low: float
    accuracy_high: float
    majority_label: str
    majority_accuracy: float
    macro_precision: Annotated[float, Column("precision")]
    macro_recall: Annotated[float, Column("recall")]
    macro_f1: Annotated[float, Column("F1")]
    per_class: list[ClassScore]
    confusion: list[list[int]]

    def macro_means(self) -> ClassScore:
        """Return the means over classes as a row of the table of classes."""
        row: dict[str, Any] = {"label": "macro mean"}
        row |= {name: getattr(self, f"macro_{name}", None) for name in columns(ClassScore)}
        return ClassScore.model_construct(**{**row, "n": self.n})

    def overall(self) -> list[str]:
        """Return the names of the metrics that the table of classes does not show."""
        shown = {"n", *(f"macro_{name}" for name in columns(ClassScore))}
        return [name for name in columns(type(self)) if name not in shown]


def wilson_interval(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Return the score interval of a proportion.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927): `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`.

    Args:
        successes: Number of successes.
        n: Number of trials; without any, the interval is 0–1.
        z: Normal quantile of the confidence level.
    """
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    center = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


def score(confusion: npt.ArrayLike, labels: Sequence[str]) -> Scores:
    """Compute every score from a confusion matrix.

    Macro means are over the classes that the split has: a class without images has no recall.

    Args:
        confusion: Counts, shape (K, K); rows are true classes, columns are predictions.
        labels: The K class names.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    correct = np.diag(counts)
    true, predicted = counts.sum(axis=1), counts.sum(axis=0)
    precision = _ratio(correct, predicted)
    recall = _ratio(correct, true)
    f1 = _ratio(2 * correct, true + predicted)
    present = true > 0
    n, hits = int(counts.sum()), int(correct.sum())
    low, high = wilson_interval(hits, n)
    most = int(true.argmax())
    return Scores(
        n=n,
        accuracy=hits / max(n, 1),
        accuracy_low=low,
        accuracy_high=high,
        majority_label=labels[most],
        majority_accuracy=float(true[most] / max(n, 1)),
        macro_precision=_mean(precision[present]),
        macro_recall=_mean(recall[present]),
        macro_f1=_mean(f1[present]),
        per_class=[
            _class_score(label, int(correct[k]), int(true[k]), float(precision[k]), float(f1[k]))
            for k, label in enumerate(labels)
        ],
        confusion=counts.tolist(),
    )


def _class_score(label: str, correct: int, n: int, precision: float, f1: float) -> ClassScore:
    """Collect the scores of one class; without images it has no recall."""
    low, high = wilson_interval(correct, n)
    return ClassScore(
        label=label,
        n=n,
        precision=precision,
        recall=correct / n if n else None,
        recall_low=low if n else None,
        recall_high=high if n else None,
        f1=f1 if n else None,
    )


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Divide element by element; 0 where the denominator is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Return the mean, 0 of nothing."""
    return float(values.mean()) if len(values) else 0.0
