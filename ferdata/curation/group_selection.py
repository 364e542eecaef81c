"""Selecting whole groups whose rows add up to a quota of each class."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ferdata.core.draws import rank

logger = logging.getLogger(__name__)

Stratum: TypeAlias = tuple[str, str]
"""Dataset and class: each pair has a quota of its own."""


def quotas(counts: Mapping[Stratum, int], fraction: Fraction) -> dict[Stratum, int]:
    """Apportion a fraction of the rows to the classes of each dataset by largest remainder.

    Args:
        counts: Rows by dataset and class.
        fraction: The fraction to draw.

    Returns:
        Rows to draw from each stratum, within one of its own rows × fraction; for each dataset they
        sum to its rows × fraction, rounded half up. Ties go to the first class by name.
    """
    wanted: dict[Stratum, int] = {}
    for dataset in sorted({dataset for dataset, _ in counts}):
        exact = {key: counts[key] * fraction for key in sorted(counts) if key[0] == dataset}
        whole = {key: math.floor(value) for key, value in exact.items()}
        missing = math.floor(sum(exact.values()) + Fraction(1, 2)) - sum(whole.values())
        by_remainder = sorted(exact, key=lambda key: (whole[key] - exact[key], key))
        wanted.update(whole)
        for key in by_remainder[:missing]:
            wanted[key] += 1
    return wanted


def select_groups(
    strata: Sequence[Stratum],
    group_names: npt.NDArray[np.object_],
    wanted: Mapping[Stratum, int],
    seed: int,
    part: str,
) -> npt.NDArray[np.int64]:
    """Select whole groups, in seeded order, whose rows add up to the quotas.

    The rarest class selects first, as in iterative stratification (Sechidis, Tsoumakas and
    Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011): groups that fit, then
    those that close more of the gap than they overshoot. A class that still has no rows gets the
    group that costs the others least. The last group of a class is never selected. Groups of one
    row meet the quotas exactly.

    Args:
        strata: Dataset and class of each row.
        group_names: Group of each row, shape (N,).
        wanted: Rows to select of each dataset and class.
        seed: Seed of the order.
        part: The split that the groups are for; seeds the order, too.

    Returns:
        Positions of the selected rows, ascending, int64.
    """
    selection = _Selection(strata, group_names, wanted, seed, part)
    selection.fill(selection.fits)
    selection.fill(selection.closes_gap)
    selection.cover_classes()
    rows = np.array(selection.rows(), dtype=np.int64)
    if any(selection.gap.values()):
        logger.warning(
            "%s has %d of the %d rows asked for, and its class counts are off by %d rows in total: "
            "groups (same subject, sequence or image) stay together",
            part, len(rows), sum(wanted.values()), sum(map(abs, selection.gap.values())),
        )  # fmt: skip
    return rows


class _Selection:
    """The groups selected so far, and the rows still missing.

    Attributes:
        gap: Rows that each class lacks; negative if it has too many.
    """

    def __init__(
        self,
        strata: Sequence[Stratum],
        group_names: npt.NDArray[np.object_],
        wanted: Mapping[Stratum, int],
        seed: int,
        part: str,
    ) -> None:
        self.gap = Counter(wanted)
        self._wanted = wanted
        self._left = Counter(strata)
        self._selected: set[str] = set()
        self._members: dict[str, list[int]] = {}
        for row, name in enumerate(group_names):
            self._members.setdefault(name, []).append(row)
        # Shuffled by hash, never by size: large groups must not always go to the same split.
        order = sorted(self._members, key=lambda name: (rank(seed, f"split:{part}:{name}"), name))
        self._content = {
            name: Counter(strata[row] for row in self._members[name]) for name in order
        }
        self._rarest = sorted(self._left, key=lambda key: (self._left[key], key))
        self._holders: dict[Stratum, list[str]] = {key: [] for key in self._rarest}
        for name, content in self._content.items():
            for key in content:
                self._holders[key].append(name)

    def rows(self) -> list[int]:
        """Return the positions of the selected rows, ascending."""
        return sorted(row for name in self._selected for row in self._members[name])

    def fill(self, accepts: Callable[[Counter[Stratum]], bool]) -> None:
        """Let each class, the rarest first, take groups until it lacks no rows."""
        for key in self._rarest:
            for name in self._holders[key]:
                if self.gap[key] <= 0:
                    break
                if self._is_free(name) and accepts(self._content[name]):
                    self._take(name)

    def cover_classes(self) -> None:
        """Give each class that should have rows but has none the group that costs least."""
        for key in self._rarest:
            if not 0 < self._wanted.get(key, 0) == self.gap[key]:
                continue
            free = [name for name in self._holders[key] if self._is_free(name)]
            if free:
                self._take(min(free, key=lambda name: self._cost(self._content[name])))

    def fits(self, content: Counter[Stratum]) -> bool:
        """Return whether no class would get more rows than it lacks."""
        return all(rows <= self.gap[key] for key, rows in content.items())

    def closes_gap(self, content: Counter[Stratum]) -> bool:
        """Return whether the classes would be nearer to their quotas in total."""
        return self._cost(content) < 0

    def _cost(self, content: Counter[Stratum]) -> int:
        return sum(abs(self.gap[key] - rows) - abs(self.gap[key]) for key, rows in content.items())

    def _is_free(self, name: str) -> bool:
        """Return whether a group is not selected yet, nor the last one of a class."""
        return name not in self._selected and all(
            self._left[key] > rows for key, rows in self._content[name].items()
        )

    def _take(self, name: str) -> None:
        self._selected.add(name)
        self.gap.subtract(self._content[name])
        self._left.subtract(self._content[name])
