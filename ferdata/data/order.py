"""The order in which an epoch visits the rows of a split, and each rank's part of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ferdata.core.draws import generator


def epoch_order(
    rows: int,
    *,
    shuffle: bool,
    seed: int = 0,
    epoch: int = 0,
    rank: int = 0,
    world_size: int = 1,
    truncate: bool = False,
) -> npt.NDArray[np.int64]:
    """Return the rows that one rank visits in one epoch.

    Every rank draws the same order of all rows from (seed, epoch) and gets every `world_size`-th
    row of it, so that the parts have equal length and cover all rows. If `rows` is not a multiple
    of `world_size`, the order is extended with its own beginning (fewer than `world_size` rows are
    repeated) or, with `truncate`, shortened.

    Args:
        rows: Number of rows of the split.
        shuffle: Draw an order; otherwise the rows are ascending.
        seed: Seed of all epochs.
        epoch: The epoch, from 0.
        rank: Which part, 0 ≤ rank < world_size.
        world_size: Number of parts.
        truncate: Drop rows instead of repeating some.

    Returns:
        Row numbers, int64.
    """
    if shuffle:
        order = generator(seed, "epoch", epoch, "order").permutation(rows)
    else:
        order = np.arange(rows)
    if rows % world_size:
        parts = rows // world_size if truncate else -(-rows // world_size)
        order = np.resize(order, parts * world_size)
    return order[rank::world_size].astype(np.int64, copy=False)
