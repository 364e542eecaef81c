"""Locating the rows of batches in the shards."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt

_ROWS_PER_CALL = 4
"""The overhead of a `take` is about that of the views of this many rows."""

_BLOCK = 256
"""Batches located at once: enough for a negligible cost per batch, few enough for memory."""

Run = tuple[int, int, int]
"""Consecutive rows of a batch in one shard: shard, first position, last position + 1."""


@dataclass(slots=True)
class Selection:
    """The rows of one batch, in the order of the batch.

    Attributes:
        index: Row numbers in the split, int64, shape (B,).
        shards: Number of the shard of each row, intp, shape (B,).
        rows: Row number inside its shard, intp, shape (B,).
        runs: The runs of rows in one shard, if they are long enough that one call per run is
            cheaper than one view per row; else None.
    """

    index: npt.NDArray[np.int64]
    shards: npt.NDArray[np.intp]
    rows: npt.NDArray[np.intp]
    runs: list[Run] | None


@dataclass(slots=True)
class Block:
    """Many consecutive batches, located together.

    Attributes:
        index: Row numbers in the split, int64, of all batches end to end.
        batches: The batches; their arrays are slices of the block's.
    """

    index: npt.NDArray[np.int64]
    batches: list[Selection]


class Locator:
    """Locates rows of a split in its shards.

    Args:
        shard_rows: Number of rows of each shard, in order.
    """

    def __init__(self, shard_rows: Sequence[int]) -> None:
        self._begins = np.concatenate(([0], np.cumsum(shard_rows, dtype=np.intp)))
        self._ends = self._begins[1:]
        self._length = int(self._begins[-1])

    def __len__(self) -> int:
        return self._length

    def select(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> Selection:
        """Locate the rows of one batch, keeping their order.

        Args:
            indices: Row numbers in the split; negative ones count from its end.

        Raises:
            IndexError: A row number is outside the split.
        """
        numbers = indices if isinstance(indices, list) else [int(index) for index in indices]
        index = np.array(numbers, dtype=np.int64)
        if numbers and (min(numbers) < 0 or max(numbers) >= self._length):
            index[index < 0] += self._length
            if index.min() < 0 or index.max() >= self._length:
                raise IndexError(f"index out of range for a split of {self._length} rows")
        shards, rows = self._locate(index)
        ascending = all(map(operator.le, numbers, islice(numbers, 1, None)))  # usually ends at once
        changes = (np.flatnonzero(np.diff(shards)) + 1).tolist() if ascending else None
        return Selection(index, shards, rows, _long_runs(shards, changes))

    def blocks(
        self, order: npt.NDArray[np.int64], batch_size: int, *, first: int = 0, sort: bool = False
    ) -> Iterator[Block]:
        """Locate all batches of an order of rows, many at a time; the last batch may be smaller.

        Args:
            order: Row numbers in the split, shape (n,).
            batch_size: Rows per batch.
            first: The first batch to locate.
            sort: Sort the rows of each batch, so that each shard is gathered in one call.
        """
        step = batch_size * _BLOCK
        for begin in range(first * batch_size, len(order), step):
            index = order[begin : begin + step].copy()
            if sort:
                _sort_within_batches(index, batch_size)
            yield Block(index, self._batches(index, batch_size))

    def _batches(self, index: npt.NDArray[np.int64], batch_size: int) -> list[Selection]:
        """Locate rows, and cut them into batches."""
        shards, rows = self._locate(index)
        changes = np.flatnonzero(np.diff(shards)) + 1
        edges = changes.searchsorted(np.arange(0, len(index) + batch_size, batch_size))
        batches = []
        for number, start in enumerate(range(0, len(index), batch_size)):
            part = slice(start, start + batch_size)
            inside = (changes[edges[number] : edges[number + 1]] - start).tolist()
            if inside and inside[0] == 0:  # the batch begins with a shard: not a change inside it
                del inside[0]
            runs = _long_runs(shards[part], inside)
            batches.append(Selection(index[part], shards[part], rows[part], runs))
        return batches

    def _locate(
        self, index: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        shards = self._ends.searchsorted(index, side="right")
        return shards, index - self._begins.take(shards)


def _long_runs(shards: npt.NDArray[np.intp], changes: list[int] | None) -> list[Run] | None:
    """Return the runs between changes of the shard, if they are worth a call each.

    Args:
        shards: The shard of each row of a batch.
        changes: Positions where the shard differs from the one before; None if rows are in no
            order, so that runs are too short.
    """
    if changes is None or (len(changes) + 1) * _ROWS_PER_CALL > len(shards):
        return None
    borders = [0, *changes, len(shards)]
    return [(shards.item(start), start, stop) for start, stop in pairwise(borders)]


def _sort_within_batches(order: npt.NDArray[np.int64], batch_size: int) -> None:
    """Sort each batch of an order in place."""
    full = len(order) // batch_size * batch_size
    order[:full].reshape(-1, batch_size).sort(axis=1)
    order[full:].sort()
