"""FER+: from ten votes to a label, by the four rules of its authors.

Source: Barsoum, Zhang, Canton Ferrer and Zhang, "Training deep networks for facial expression
recognition with crowd-sourced label distribution", ICMI 2016, and the code published with it
(github.com/microsoft/FERPlus, src/ferplus.py), whose decisions these are; written anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
"""Columns that are expressions; the two behind them are not."""

RULES = ("majority", "probability", "crossentropy", "multi_target")

NO_MAJORITY = "no majority"
TOO_MANY = "more than three labels"
UNKNOWN = "unknown expression"
NOT_A_FACE = "not a face"

_MAX_LABELS = 3


@dataclass(frozen=True)
class Decision:
    """What becomes of one image.

    Attributes:
        label: Name of the expression, or None where the image is left out.
        target: Shares of the eight expressions in the order of `COLUMNS`, summing to 1.
        reason: Why it is left out: a kind, a colon and the details.
    """

    label: str | None
    target: tuple[float, ...] = ()
    reason: str = ""


def decide(votes: npt.ArrayLike, rule: str) -> Decision:
    """Decide about one image.

    Single votes are removed as outliers first, in all ten columns. Then, with S the votes that are
    left: `majority` keeps the winner if it has more than S / 2. `probability` and `crossentropy`
    collect the strongest expressions, ties together, until three are found or 3/4 of S is reached,
    and ask for more than S / 2 and at most three. `multi_target` keeps all with at least 0.3 S, and
    asks for more than S / 2. An image is left out where "unknown" or "not a face" comes first.

    Args:
        votes: Ten counts in the order of `COLUMNS`.
        rule: One of `RULES`.
    """
    counts = np.asarray(votes, dtype=np.float64)
    left = np.where(counts < 1 + np.finfo(np.float64).eps, 0.0, counts)
    total = left.sum()
    chosen, number = _CHOOSE[rule](left, total)
    if number > _MAX_LABELS:
        return Decision(None, reason=f"{TOO_MANY}: {number} are tied")
    threshold = 0.5 * total
    if not chosen.sum() > threshold:
        most = max(chosen.sum(), left.max())
        return Decision(None, reason=f"{NO_MAJORITY}: {most:g} of {total:g} votes")
    shares = chosen / chosen.sum()
    winner = int(np.argmax(shares))
    if winner >= EMOTIONS:
        kind = UNKNOWN if winner == EMOTIONS else NOT_A_FACE
        return Decision(None, reason=f"{kind}: {left[winner]:g} of {total:g} votes")
    emotions = shares[:EMOTIONS]
    target = emotions / emotions.sum()
    return Decision(COLUMNS[winner], tuple(target.tolist()))


_Chosen = tuple[npt.NDArray[np.float64], int]


def _majority(left: npt.NDArray[np.float64], total: float) -> _Chosen:
    chosen = np.zeros_like(left)
    winner = int(np.argmax(left))
    if left[winner] > 0.5 * total:
        chosen[winner] = left[winner]
    return chosen, 0


def _strongest(left: npt.NDArray[np.float64], total: float) -> _Chosen:
    """Collect the strongest columns; one that is no expression ends the search."""
    chosen, rest = np.zeros_like(left), left.copy()
    collected, number, go_on = 0.0, 0, True
    while go_on and number < _MAX_LABELS and collected < 0.75 * total:
        strongest = rest.max()
        for column in np.flatnonzero(rest == strongest).tolist():
            rest[column] = 0.0
            collected += strongest
            if column < EMOTIONS:
                chosen[column] = strongest
                number += 1
                continue
            go_on = False
            if number == 0:  # it counts only where nothing was chosen before it
                chosen[column] = strongest
                number += 1
            break
    return chosen, number


def _multi_target(left: npt.NDArray[np.float64], total: float) -> _Chosen:
    return np.where(left >= 0.3 * total, left, 0.0), 0


_CHOOSE = {
    "majority": _majority,
    "probability": _strongest,
    "crossentropy": _strongest,
    "multi_target": _multi_target,
}
