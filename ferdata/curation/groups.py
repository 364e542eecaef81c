"""Groups: rows that must not be torn apart by a split.

Two rows belong together when they show the same subject, come from the same sequence, or show the
same picture. A group is a connected component over these links: if A and B are one person and B and
C are one picture, then A and C are in one group too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ferdata.core.manifest import Manifest
from ferdata.curation.components import chain, components
from ferdata.curation.same_image import Pictures, find_pictures

_LINKS: tuple[tuple[str, ...], ...] = (
    ("dataset", "subject"),  # two datasets may both have a subject "S001"
    ("dataset", "subject", "sequence"),  # and two subjects a sequence "001"
)
"""What links rows: equal values in all columns of a link. The last column must not be null."""


def groups(
    manifest: Manifest, *, near: int | None = None, pictures: Pictures | None = None
) -> npt.NDArray[np.object_]:
    """Name the group of each row.

    Args:
        manifest: Rows; columns that are null link nothing.
        near: Rows whose perceptual hashes differ in at most this many of 256 bits show the same
            picture; None: only rows with equal pixels do.
        pictures: The picture of each row, where that is known already; `near` then counts not.

    Returns:
        Object array of strings, shape (N,): the smallest `sample_id` in the row's group, so the
        names don't depend on the order of rows.

    Raises:
        OptionError: `near` is out of range.
        ManifestError: With `near`: a row has no perceptual hash.
    """
    pictures = pictures or find_pictures(manifest, near)
    columns = sorted({"sample_id", *(name for link in _LINKS for name in link)})
    frame = manifest.table.select(columns).to_pandas()
    links = [chain(pictures.number)]
    for link in _LINKS:
        codes = frame.groupby(list(link), dropna=False, sort=False).ngroup()
        links.append(chain(codes.where(frame[link[-1]].notna(), -1).to_numpy(np.int64)))
    together = components(len(frame), np.concatenate(links))
    smallest = frame["sample_id"].groupby(together).transform("min")
    names: npt.NDArray[np.object_] = smallest.to_numpy(dtype=object)
    return names
