"""Choosing whole groups whose rows come to wanted counts of each class."""

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
"""Dataset and class: each pair gets its exact share."""


def quotas(counts: Mapping[Stratum, int], share: Fraction) -> dict[Stratum, int]:
    """Share out rows over the classes of each dataset by largest remainder (Hamilton's method).

    Args:
        counts: Rows by dataset and class.
        share: The part wanted of each.

    Returns:
        Rows to draw from each; they sum, for each dataset, to its rows × share rounded half up,
        and each is within one of its own rows × share. Ties go to the first class by name.
    """
    wanted: dict[Stratum, int] = {}
    for dataset in sorted({dataset for dataset, _ in counts}):
        exact = {key: counts[key] * share for key in sorted(counts) if key[0] == dataset}
        whole = {key: math.floor(value) for key, value in exact.items()}
        missing = math.floor(sum(exact.values()) + Fraction(1, 2)) - sum(whole.values())
        by_remainder = sorted(exact, key=lambda key: (whole[key] - exact[key], key))
        wanted.update(whole)
        for key in by_remainder[:missing]:
            wanted[key] += 1
    return wanted


def carve(
    strata: Sequence[Stratum],
    group_names: npt.NDArray[np.object_],
    wanted: Mapping[Stratum, int],
    seed: int,
    part: str,
) -> npt.NDArray[np.int64]:
    """Choose whole groups, in seeded order, whose rows come to the wanted counts.

    The rarest class chooses first, as in iterative stratification (Sechidis, Tsoumakas and
    Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011): groups that fit, then
    those whose surplus is smaller than the gap they close. A class that still has none gets the
    group that costs the others least. The last group of a class is never chosen. With groups of one
    row the counts are met exactly.

    Args:
        strata: Dataset and class of each row.
        group_names: Group of each row, shape (N,).
        wanted: Rows to choose of each dataset and class.
        seed: Draws other groups.
        part: The split that they are for, part of the draw.

    Returns:
        Positions of the chosen rows, ascending, int64.
    """
    choice = _Choice(strata, group_names, wanted, seed, part)
    choice.fill(choice.fits)
    choice.fill(choice.brings_closer)
    choice.cover()
    rows = np.array(choice.rows(), dtype=np.int64)
    if any(choice.gap.values()):
        logger.warning(
            "%s has %d of the %d rows asked for, and its classes are off by %d rows: groups (same "
            "subject, sequence or picture) are not taken apart",
            part,
            len(rows),
            sum(wanted.values()),
            sum(map(abs, choice.gap.values())),
        )
    return rows


class _Choice:
    """The groups chosen so far, and what they lack.

    Attributes:
        gap: Rows that each class lacks; negative where there are too many.
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
        self._chosen: set[str] = set()
        self._members: dict[str, list[int]] = {}
        for row, name in enumerate(group_names):
            self._members.setdefault(name, []).append(row)
        # Shuffled by hash, never by size: large groups must not always go to the same side.
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
        """Return the positions of the chosen rows, ascending."""
        return sorted(row for name in self._chosen for row in self._members[name])

    def fill(self, accepts: Callable[[Counter[Stratum]], bool]) -> None:
        """Let each class, the rarest first, take groups until it lacks no rows."""
        for key in self._rarest:
            for name in self._holders[key]:
                if self.gap[key] <= 0:
                    break
                if self._is_free(name) and accepts(self._content[name]):
                    self._take(name)

    def cover(self) -> None:
        """Give each class that was to have rows and has none the group that costs least."""
        for key in self._rarest:
            if not 0 < self._wanted.get(key, 0) == self.gap[key]:
                continue
            free = [name for name in self._holders[key] if self._is_free(name)]
            if free:
                self._take(min(free, key=lambda name: self._cost(self._content[name])))

    def fits(self, content: Counter[Stratum]) -> bool:
        """Tell whether no class would get more rows than it lacks."""
        return all(rows <= self.gap[key] for key, rows in content.items())

    def brings_closer(self, content: Counter[Stratum]) -> bool:
        """Tell whether the classes would be nearer to their wanted counts, summed over classes."""
        return self._cost(content) < 0

    def _cost(self, content: Counter[Stratum]) -> int:
        return sum(abs(self.gap[key] - rows) - abs(self.gap[key]) for key, rows in content.items())

    def _is_free(self, name: str) -> bool:
        """Tell whether a group is there to be taken, and not the last one of a class."""
        return name not in self._chosen and all(
            self._left[key] > rows for key, rows in self._content[name].items()
        )

    def _take(self, name: str) -> None:
        self._chosen.add(name)
        self.gap.subtract(self._content[name])
        self._left.subtract(self._content[name])
