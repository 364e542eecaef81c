"""FER+: from ten votes to a label, by the four rules of its authors or by a plugin's.

Source: Barsoum, Zhang, Canton Ferrer and Zhang, "Training deep networks for facial expression
recognition with crowd-sourced label distribution", ICMI 2016, and the code published with it
(github.com/microsoft/FERPlus, src/ferplus.py); reimplemented with the same decisions.

A label rule is a function from the votes on one image to a `Decision`. A package adds its own with
an entry point `label_rule.NAME`, see `ferdata.core.registry`; `--label-rule NAME` then selects it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import PluginError
from ferdata.core.registry import Registry

COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
"""The order of the votes; NF is "not a face"."""

EMOTIONS = 8
"""Number of columns that are expressions; the last two are not."""

NO_MAJORITY = "no majority"
TOO_MANY = "more than three labels"
UNKNOWN = "unknown expression"
NOT_A_FACE = "not a face"

_MAX_LABELS = 3

Votes = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """What becomes of one image.

    Attributes:
        label: Name of the expression, or None if the image is excluded.
        soft_label: Fractions of the eight expressions in the order of `COLUMNS`, summing to 1.
        reason: Why the image is excluded: a kind, a colon and the details. Other kinds than the
            four above count against `--max-reject-rate`.
    """

    label: str | None
    soft_label: tuple[float, ...] = ()
    reason: str = ""


LabelRule = Callable[[Sequence[int]], Decision]
"""Decides about one image, given ten votes in the order of `COLUMNS`."""

LABEL_RULES: Registry[LabelRule] = Registry(
    "label_rule",
    {
        "majority": f"{__name__}:majority",
        "probability": f"{__name__}:strongest",
        "crossentropy": f"{__name__}:strongest",
        "multi_target": f"{__name__}:multi_target",
    },
)


def decide(votes: Sequence[int], rule: str) -> Decision:
    """Apply a label rule to the votes on one image.

    Args:
        votes: Ten counts in the order of `COLUMNS`.
        rule: One of `LABEL_RULES`.

    Raises:
        UnknownNameError: There is no such rule.
        PluginError: The rule comes from a plugin and breaks its contract.
    """
    decision = LABEL_RULES.get(rule)(votes)
    if not _is_sound(decision):
        raise PluginError(
            f"label rule {rule!r} returned {decision!r} for the votes {list(votes)}; expected a "
            f"Decision with one of {', '.join(COLUMNS[:EMOTIONS])} and eight fractions that sum to "
            "1, or with label None and a reason 'kind: details'"
        )
    return decision


def majority(votes: Sequence[int]) -> Decision:
    """Take the winner if it has more than half of the votes."""
    left = without_outliers(votes)
    chosen = np.zeros_like(left)
    winner = int(np.argmax(left))
    if left[winner] > 0.5 * left.sum():
        chosen[winner] = left[winner]
    return accept(chosen, left)


def strongest(votes: Sequence[int]) -> Decision:
    """Take the strongest columns, ties together, up to three or to three quarters of the votes.

    A column that is not an expression ends the search.
    """
    left = without_outliers(votes)
    chosen, rest, total = np.zeros_like(left), left.copy(), left.sum()
    collected, number, searching = 0.0, 0, True
    while searching and number < _MAX_LABELS and collected < 0.75 * total:
        most = rest.max()
        for column in np.flatnonzero(rest == most).tolist():
            rest[column] = 0.0
            collected += most
            if column < EMOTIONS:
                chosen[column] = most
                number += 1
                continue
            searching = False
            if number == 0:  # it counts only if nothing was chosen before it
                chosen[column] = most
                number += 1
            break
    if number > _MAX_LABELS:
        return Decision(None, reason=f"{TOO_MANY}: {number} are tied")
    return accept(chosen, left)


def multi_target(votes: Sequence[int]) -> Decision:
    """Take every column with at least 0.3 of the votes."""
    left = without_outliers(votes)
    return accept(np.where(left >= 0.3 * left.sum(), left, 0.0), left)


def without_outliers(votes: Sequence[int]) -> Votes:
    """Return the votes without single ones, in all ten columns: float64, shape (10,)."""
    counts = np.asarray(votes, dtype=np.float64)
    return np.where(counts < 1 + np.finfo(np.float64).eps, 0.0, counts)


def accept(chosen: Votes, left: Votes) -> Decision:
    """Decide by the votes of the columns that a rule has chosen.

    They need more than half of the votes, and the first column with the most of them must be an
    expression. Votes for "unknown" and "not a face" are not part of the soft label.

    Args:
        chosen: The votes of the chosen columns, 0 in the others, shape (10,).
        left: What `without_outliers` returned.
    """
    total = left.sum()
    if not chosen.sum() > 0.5 * total:
        most = max(chosen.sum(), left.max())
        return Decision(None, reason=f"{NO_MAJORITY}: {most:g} of {total:g} votes")
    fractions = chosen / chosen.sum()
    winner = int(np.argmax(fractions))
    if winner >= EMOTIONS:
        kind = UNKNOWN if winner == EMOTIONS else NOT_A_FACE
        return Decision(None, reason=f"{kind}: {left[winner]:g} of {total:g} votes")
    emotions = fractions[:EMOTIONS]
    return Decision(COLUMNS[winner], tuple((emotions / emotions.sum()).tolist()))


def _is_sound(decision: object) -> bool:
    if not isinstance(decision, Decision):
        return False
    if decision.label is None:
        return ": " in decision.reason
    fractions = decision.soft_label
    return (
        decision.label in COLUMNS[:EMOTIONS]
        and len(fractions) == EMOTIONS
        and min(fractions) >= 0
        and abs(sum(fractions) - 1) < 1e-6
    )
