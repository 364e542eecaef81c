"""Whether a classifier's predictions are correct as often as its confidence says."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ferdata.evaluation.columns import Column

BINS = 15
"""Bins of equal width (Guo et al. 2017, section 4, table 1)."""


class CalibrationBin(BaseModel):
    """Predictions whose confidence lies in one interval.

    Attributes:
        low: Lower end, excluded.
        high: Upper end, included.
        n: Number of predictions.
        confidence: Their mean confidence; None if there are none.
        accuracy: Fraction of correct ones; None if there are none.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


class Calibration(BaseModel):
    """Calibration of a classifier on one split.

    Attributes:
        n: Images.
        mean_confidence: Mean probability of the predicted classes; above the accuracy:
            overconfident.
        expected_error: Expected calibration error, 0–1 (Guo et al. 2017, equation 5).
        negative_log_likelihood: Mean of −ln p(true class), nats.
        brier: Mean over images of Σ_k (p_k − y_k)², 0–2 (Brier 1950, equation 2).
        bins: The bins of the reliability diagram.
    """

    n: int
    mean_confidence: Annotated[float, Column("mean confidence", ".1%")]
    expected_error: Annotated[float, Column("expected calibration error", ".1%")]
    negative_log_likelihood: Annotated[float, Column("negative log-likelihood")]
    brier: Annotated[float, Column("Brier score")]
    bins: list[CalibrationBin]


def calibrate(
    log_probabilities: npt.NDArray[np.float64], label: npt.NDArray[np.int64], bins: int = BINS
) -> Calibration:
    """Measure calibration.

    Expected calibration error after Guo, Pleiss, Sun and Weinberger, "On calibration of modern
    neural networks", ICML 2017, equations 2, 3 and 5: predictions fall into bins ((m−1)/M, m/M] by
    their confidence; the error is Σ_m |B_m|/N · |accuracy(B_m) − confidence(B_m)|. Brier score
    after Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78 (1950): over all classes, so twice the binary score for two classes.

    Args:
        log_probabilities: Logarithm of the probability of each class, float64, shape (N, K), N ≥ 1.
        label: True classes, shape (N,).
        bins: Number of bins M.
    """
    probabilities = np.exp(log_probabilities)
    rows = np.arange(len(label))
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities[rows, predicted]
    correct = predicted == label
    number = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    n = np.bincount(number, minlength=bins)
    sum_confidence = np.bincount(number, confidence, bins)
    sum_correct = np.bincount(number, correct, bins)
    errors = probabilities.copy()
    errors[rows, label] -= 1
    return Calibration(
        n=len(label),
        mean_confidence=float(confidence.mean()),
        expected_error=float(np.abs(sum_correct - sum_confidence).sum() / len(label)),
        negative_log_likelihood=float(-log_probabilities[rows, label].mean()),
        brier=float((errors**2).sum(axis=1).mean()),
        bins=[
            CalibrationBin(
                low=m / bins,
                high=(m + 1) / bins,
                n=int(n[m]),
                confidence=float(sum_confidence[m] / n[m]) if n[m] else None,
                accuracy=float(sum_correct[m] / n[m]) if n[m] else None,
            )
            for m in range(bins)
        ],
    )
