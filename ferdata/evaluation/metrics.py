"""Scores of a classifier, all of them from one confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


class ClassScore(BaseModel):
    """Scores of one class.

    Attributes:
        label: Class name.
        n: Images of this class in the split.
        precision: Right among those called so; 0 where none was called so.
        recall: Right among those that are so; None where the split has none.
        recall_low: Lower end of the Wilson 95 % interval of the recall; None as above.
        recall_high: Upper end of it.
        f1: Harmonic mean of both; None where the split has none.
    """

    label: str
    n: int
    precision: float
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    f1: float | None


class Scores(BaseModel):
    """Scores of a classifier on one split.

    Attributes:
        n: Images.
        accuracy: Share of right answers.
        accuracy_low: Lower end of the Wilson 95 % interval of the accuracy.
        accuracy_high: Upper end of it.
        majority_label: The split's most frequent class.
        majority_accuracy: Accuracy of always answering it.
        macro_precision: Mean over the classes that the split has.
        macro_recall: Mean over the classes that the split has.
        macro_f1: Mean over the classes that the split has.
        per_class: One entry per class, in label order.
        confusion: Counts, rows are true classes, columns are answers, in label order.
    """

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    majority_label: str
    majority_accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    per_class: list[ClassScore]
    confusion: list[list[int]]


def wilson_interval(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Return the score interval of a proportion.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927): `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`.

    Args:
        successes: Right answers.
        n: Answers; with none the interval is 0–1.
        z: Normal quantile of the wanted confidence.
    """
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    center = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


def score(confusion: npt.ArrayLike, labels: Sequence[str]) -> Scores:
    """Derive every score from a confusion matrix.

    Macro means run over the classes that the split has: a class without images has no recall.

    Args:
        confusion: Counts, shape (K, K); rows are true classes, columns are answers.
        labels: The K class names.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    right = np.diag(counts)
    true, called = counts.sum(axis=1), counts.sum(axis=0)
    precision = _ratio(right, called)
    recall = _ratio(right, true)
    f1 = _ratio(2 * right, true + called)
    present = true > 0
    n, hits = int(counts.sum()), int(right.sum())
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
            _class_score(label, int(right[k]), int(true[k]), float(precision[k]), float(f1[k]))
            for k, label in enumerate(labels)
        ],
        confusion=counts.tolist(),
    )


def _class_score(label: str, right: int, n: int, precision: float, f1: float) -> ClassScore:
    """Collect the scores of one class; without images it has no recall."""
    low, high = wilson_interval(right, n)
    return ClassScore(
        label=label,
        n=n,
        precision=precision,
        recall=right / n if n else None,
        recall_low=low if n else None,
        recall_high=high if n else None,
        f1=f1 if n else None,
    )


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Divide element by element; 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Return the mean, 0 of nothing."""
    return float(values.mean()) if len(values) else 0.0
