"""Groups: rows that must stay in one split.

Two rows are in one group if they show the same subject, come from the same sequence, or hold the
same image. A group is a connected component of these links: if A and B show one subject and B and C
hold the same image, A and C are in one group, too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ferdata.core.manifest import Manifest
from ferdata.core.perceptual import equal_pairs
from ferdata.curation.clusters import RowClusters, connected_components, find_clusters

SUBJECT = ("dataset", "subject")
"""Columns whose values make a subject: two datasets may both have a subject "S001"."""

SEQUENCE = (*SUBJECT, "sequence")
"""Columns whose values make a sequence: two subjects may both have a sequence "001"."""


def number_by(frame: pd.DataFrame, columns: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Number rows by their values in some columns; −1 where the last column is null."""
    numbers = frame.groupby(list(columns), dropna=False, sort=False).ngroup()
    return np.asarray(numbers.where(frame[columns[-1]].notna(), -1), np.int64)


def find_groups(
    manifest: Manifest, *, near: int | None = None, clusters: RowClusters | None = None
) -> npt.NDArray[np.object_]:
    """Return the group of each row.

    Args:
        manifest: Rows; null values link nothing.
        near: Perceptual hashes that differ in at most this many of 256 bits count as the same
            image; None: only equal pixels do.
        clusters: The duplicate clusters of the rows if known already; `near` is then ignored.

    Returns:
        Object array of strings, shape (N,): the smallest `sample_id` in the row's group, so that
        names don't depend on the order of rows.

    Raises:
        OptionError: `near` is out of range.
        ManifestError: With `near`: a row has no perceptual hash.
    """
    clusters = clusters or find_clusters(manifest, near)
    frame = manifest.table.select(["sample_id", *SEQUENCE]).to_pandas()
    links = [clusters.number, number_by(frame, SUBJECT), number_by(frame, SEQUENCE)]
    pairs = np.concatenate([equal_pairs(link) for link in links])
    component = connected_components(len(frame), pairs)
    smallest = frame["sample_id"].groupby(component).transform("min")
    names: npt.NDArray[np.object_] = smallest.to_numpy(dtype=object)
    return names
