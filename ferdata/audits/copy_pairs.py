"""Pairs of rows that show one image, as rules see them, however they were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

EQUAL, ALTERED, MIRRORED = "equal", "altered", "mirrored"


@dataclass(frozen=True)
class CopyPairs:
    """M pairs of rows.

    Attributes:
        rows: Row numbers, the smaller first, int64 (M, 2).
        kinds: What the second is to the first, object (M,).
        seen: What was seen on them, for examples; object (M,).
        order: The surest first, float64 (M,).
    """

    rows: npt.NDArray[np.int64]
    kinds: npt.NDArray[Any]
    seen: npt.NDArray[Any]
    order: npt.NDArray[np.float64]

    @classmethod
    def of_kind(cls, rows: npt.NDArray[np.int64], kind: str) -> Self:
        """Return pairs of one kind, of which there is no more to say."""
        rows = np.sort(rows.reshape(-1, 2), axis=1)
        words = np.full(len(rows), kind, object)
        return cls(rows, words, words, np.zeros(len(rows)))

    @classmethod
    def none(cls) -> Self:
        """Return no pairs."""
        return cls.of_kind(np.empty((0, 2), np.int64), EQUAL)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: npt.NDArray[Any]) -> Self:
        """Return the pairs of a mask or at positions."""
        return type(self)(**{name: each[chosen] for name, each in vars(self).items()})

    def join(self, other: CopyPairs) -> Self:
        """Return these pairs and those of another."""
        both = {
            name: np.concatenate((each, vars(other)[name])) for name, each in vars(self).items()
        }
        return type(self)(**both)
