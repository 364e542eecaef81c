"""All images, described: features in arrays, small versions, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ferdata.core.perceptual import equal_pairs
from ferdata.core.progress import progress_bar
from ferdata.curation.altered_copies.description import Description, describe_all
from ferdata.curation.altered_copies.features import LENGTH, POINT_SUBSETS
from ferdata.curation.altered_copies.frames import Frames
from ferdata.curation.altered_copies.records import ImageSource

Rows = npt.NDArray[np.int64]
Features = npt.NDArray[np.float16]


@dataclass(eq=False)
class Collection:
    """All images, described.

    Attributes:
        features: Of each kind, float16 (N, LENGTH): the face's, one for each of `POINT_SUBSETS`,
            then the whole image's. NaN where an image has none.
        frames: Small versions of each image; None where it could not be read.
        pixels: Code of each image's pixels, equal for equal pixels, int64 (N,); −1 if unreadable.
        group: Code of each image's sequence, int64 (N,); −1 for none.
        sizes: Width and height, int64 (N, 2).
        is_gray: Whether its channels are equal, bool (N,).
        probes: Features of altered versions of the images without points, by image.
        unreadable: Why images could not be read, by image.
    """

    features: Features
    frames: list[Frames | None]
    pixels: Rows
    group: Rows
    sizes: Rows
    is_gray: npt.NDArray[np.bool_]
    probes: dict[int, Features] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)

    def exact_pairs(self) -> Rows:
        """Chain images of equal pixels, int64 (M, 2), sorted."""
        pairs = np.sort(equal_pairs(self.pixels), axis=1)
        return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]

    def distinct(self) -> Rows:
        """Return the first image of each distinct pixels, int64, ascending."""
        known = np.flatnonzero(self.pixels >= 0)
        return np.sort(known[np.unique(self.pixels[known], return_index=True)[1]])


def collect(
    sources: Sequence[ImageSource], executor: Executor, *, ahead: int, quiet: bool
) -> Collection:
    """Read and describe all images."""
    total = len(sources)
    found = Collection(
        features=np.full((len(POINT_SUBSETS) + 1, total, LENGTH), np.nan, np.float16),
        frames=[None] * total,
        pixels=np.full(total, -1, np.int64),
        group=_codes([source.sequence for source in sources]),
        sizes=np.zeros((total, 2), np.int64),
        is_gray=np.zeros(total, np.bool_),
    )
    codes: dict[str, int] = {}
    with progress_bar("describing images", total, quiet=quiet) as bar:
        row = 0
        for chunk in describe_all(sources, executor, ahead=ahead):
            for each in chunk:
                if isinstance(each, str):
                    found.unreadable[row] = each
                else:
                    found.pixels[row] = codes.setdefault(each.pixel_sha256, len(codes))
                    _put(found, row, each)
                row += 1
            bar.update(len(chunk))
    return found


def _put(found: Collection, row: int, each: Description) -> None:
    for kind, feature in enumerate(each.face):
        if feature is not None:
            found.features[kind, row] = feature
    found.features[-1, row] = each.whole
    found.frames[row] = each.frames
    found.sizes[row] = each.size
    found.is_gray[row] = each.is_gray
    if each.probes is not None:
        found.probes[row] = each.probes


def _codes(names: Sequence[str | None]) -> Rows:
    codes: dict[str, int] = {}
    numbers = (-1 if name is None else codes.setdefault(name, len(codes)) for name in names)
    return np.fromiter(numbers, np.int64, len(names))
