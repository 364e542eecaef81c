"""The stored images of a build, found by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ferdata.core.draws import rank
from ferdata.data.arrays import SplitArrays
from ferdata.data.build import Build
from ferdata.faces.landmark_scheme import LandmarkScheme
from ferdata.faces.schemes import scheme
from ferdata.formats.names import READ_FORMAT
from ferdata.reports.thumbnails import thumbnail
from ferdata.reports.views import Thumbnail


class StoredImages:
    """The images of a build.

    Args:
        build: The build.
    """

    def __init__(self, build: Build) -> None:
        self.build = build
        self._splits: dict[str, SplitArrays] = {}
        self._drawn: dict[tuple[str, str], list[int]] = {}

    @property
    def missing(self) -> str:
        """Why there are no images to show; empty if there are."""
        if READ_FORMAT in self.build.record.options.formats:
            return ""
        return "this build has no HDF5 shards (--formats hdf5), from which images are read"

    def split(self, name: str) -> SplitArrays:
        """Return the arrays of a split."""
        if name not in self._splits:
            self._splits[name] = SplitArrays(self.build, name)
        return self._splits[name]

    @cached_property
    def places(self) -> dict[str, tuple[str, int]]:
        """Split and row of every image by its id."""
        return {
            sample: (name, row)
            for name in self.build.splits
            for row, sample in enumerate(self.split(name).column("sample_id").tolist())
        }

    @cached_property
    def scheme(self) -> LandmarkScheme | None:
        """The scheme of the landmarks; None without landmarks."""
        named = self.build.landmarks
        return scheme(named.scheme) if named.scheme and named.points else None

    def sources(self, split: str) -> npt.NDArray[np.bool_]:
        """Tell which rows of a split are no augmented copies, shape (N,)."""
        return np.asarray(self.split(split).column("parent_id") == "", np.bool_)

    def drawn(self, split: str, label: str) -> list[int]:
        """Return the source images of a class in a split, in an order drawn from their ids."""
        if (split, label) not in self._drawn:
            self._drawn[split, label] = self._draw(split, label)
        return self._drawn[split, label]

    def _draw(self, split: str, label: str) -> list[int]:
        arrays = self.split(split)
        wanted = arrays.column("label") == self.build.label_space.names.index(label)
        rows = np.flatnonzero(wanted & self.sources(split)).tolist()
        names = arrays.column("sample_id")
        return sorted(rows, key=lambda row: rank(0, f"report:{names[row]}"))

    def thumbnails(
        self, split: str, rows: Sequence[int], texts: Iterable[str] | None = None
    ) -> list[Thumbnail]:
        """Return images of a split with their landmarks.

        Args:
            split: The split.
            rows: Rows of it.
            texts: What is to be seen on each.
        """
        if not rows:
            return []
        arrays, space = self.split(split), self.build.label_space
        known = ("image", "label", "sample_id", "dataset", *(("landmarks",) if self.scheme else ()))
        batch = arrays.gather(list(rows), known)
        points = batch.get("landmarks", [None] * len(rows))
        given = [""] * len(rows) if texts is None else list(texts)
        return [
            thumbnail(
                batch["image"][k],
                points[k],
                self.scheme,
                sample=batch["sample_id"][k],
                label=space.names[batch["label"][k]],
                split=split,
                dataset=batch["dataset"][k],
                text=given[k],
            )
            for k in range(len(rows))
        ]

    def find(self, samples: Iterable[str]) -> dict[str, Thumbnail]:
        """Return the images with given ids, as far as they are stored, by id."""
        rows: dict[str, list[int]] = {}
        for sample in dict.fromkeys(samples):
            if sample in self.places:
                split, row = self.places[sample]
                rows.setdefault(split, []).append(row)
        return {
            each.sample: each
            for split, chosen in rows.items()
            for each in self.thumbnails(split, chosen)
        }
