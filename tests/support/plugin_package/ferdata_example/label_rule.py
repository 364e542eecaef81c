"""A label rule for FER+: all ten viewers must agree."""

from __future__ import annotations

from collections.abc import Sequence

from ferdata.ingesters.ferplus.label_rules import COLUMNS, EMOTIONS, NO_MAJORITY, Decision


def unanimous(votes: Sequence[int]) -> Decision:
    """Take the expression that all viewers voted for."""
    most = max(votes[:EMOTIONS])
    if most < sum(votes):
        return Decision(None, reason=f"{NO_MAJORITY}: {most} of {sum(votes)} votes agree")
    winner = list(votes).index(most)
    return Decision(COLUMNS[winner], tuple(float(column == winner) for column in range(EMOTIONS)))
