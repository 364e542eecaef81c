"""Groups: rows that must not be torn apart by a split.

Two rows belong together when they show the same subject, come from the same sequence, or have the
same pixels. A group is a connected component over these links: if A and B are one person and B and
C are one picture, then A and C are in one group too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ferdata.manifest import Manifest

_LINKS: tuple[tuple[str, ...], ...] = (
    ("dataset", "subject"),  # two datasets may both have a subject "S001"
    ("dataset", "subject", "sequence"),  # and two subjects a sequence "001"
    ("pixel_sha256",),  # the same picture may be in two datasets
)
"""What links rows: equal values in all columns of a link. The last column must not be null."""


def groups(manifest: Manifest) -> npt.NDArray[np.object_]:
    """Name the group of each row.

    Args:
        manifest: Rows; columns that are null link nothing.

    Returns:
        Object array of strings, shape (N,): the smallest `sample_id` in the row's group, so the
        names don't depend on the order of rows.
    """
    columns = sorted({"sample_id", *(name for link in _LINKS for name in link)})
    frame = manifest.table.select(columns).to_pandas()
    parent = np.arange(len(frame))
    for link in _LINKS:
        for first, second in _linked_pairs(frame, link):
            _join(parent, first, second)
    roots = np.fromiter((_root(parent, row) for row in range(len(frame))), np.int64, len(frame))
    smallest = frame["sample_id"].groupby(roots).transform("min")
    names: npt.NDArray[np.object_] = smallest.to_numpy(dtype=object)
    return names


def _linked_pairs(frame: pd.DataFrame, link: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return pairs of row positions that chain up all rows with equal values in `link`."""
    known = frame[frame[link[-1]].notna()]
    codes = known.groupby(list(link), dropna=False, sort=False).ngroup().to_numpy()
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    positions = known.index.to_numpy()[order]
    return list(zip(positions[:-1][same].tolist(), positions[1:][same].tolist(), strict=True))


def _root(parent: npt.NDArray[np.int64], row: int) -> int:
    """Return a row's representative, halving the path on the way."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row


def _join(parent: npt.NDArray[np.int64], first: int, second: int) -> None:
    """Make two rows have one representative."""
    parent[_root(parent, first)] = _root(parent, second)
