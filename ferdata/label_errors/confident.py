"""Confident learning: which labels are wrong, and how often each class is called another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Suspicions:
    """What confident learning finds.

    Attributes:
        order: Positions of the images whose labels are probably wrong, the most suspicious first.
        suggested: The most probable class of every image, shape (N,).
        confidence: The probability of every image's own label, shape (N,); low is suspicious.
        noise: Probability of each given label (columns) for each true class (rows), shape (K, K).
    """

    order: npt.NDArray[np.int64]
    suggested: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]


def find_suspicions(
    labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]
) -> Suspicions:
    """Select labels that are probably wrong.

    The selection is cleanlab's `find_label_issues` with its defaults, ranked by self-confidence.

    Args:
        labels: Shape (N,), each class occurring.
        probabilities: Held-out probabilities, shape (N, K).
    """
    from cleanlab.count import compute_confident_joint, estimate_latent  # noqa: PLC0415 - an extra
    from cleanlab.filter import find_label_issues  # noqa: PLC0415

    order = find_label_issues(
        labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    joint = compute_confident_joint(labels, probabilities)
    _, noise, _ = estimate_latent(joint, labels)
    return Suspicions(
        np.asarray(order, np.int64),
        probabilities.argmax(axis=1),
        probabilities[np.arange(len(labels)), labels],
        np.asarray(noise).T,
    )
