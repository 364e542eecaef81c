"""The images whose labels are examined: originals of some splits, with their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ferdata.core.manifest import Manifest, load_manifest
from ferdata.core.perceptual import NEAR_THRESHOLD
from ferdata.curation.groups import find_groups
from ferdata.data.arrays import SplitArrays
from ferdata.data.build import Build
from ferdata.label_errors.features import split_features


@dataclass(frozen=True)
class Examined:
    """The images to examine.

    Attributes:
        build: Their build.
        rows: Their rows; no augmented copies.
        parts: The arrays of their splits.
    """

    build: Build
    rows: Manifest
    parts: dict[str, SplitArrays]

    @classmethod
    def of(cls, build: Build, *, include_test: bool) -> Examined:
        """Take the originals of train and validation, and of test if that is asked for."""
        wanted = ["train", "validation", *(["test"] if include_test else [])]
        manifest = load_manifest(build.root / "manifest.parquet")
        parts = {name: SplitArrays(build, name) for name in wanted if build.split(name).rows}
        stored = {name for part in parts.values() for name in part.column("sample_id").tolist()}
        parents = manifest.column("parent_id")
        kept = [
            row
            for row, name in enumerate(manifest.column("sample_id"))
            if parents[row] is None and name in stored
        ]
        return cls(build, manifest.take(kept), parts)

    @cached_property
    def codes(self) -> npt.NDArray[np.int64]:
        """The label of each image as its index in the build's label space, shape (N,)."""
        names = self.build.label_space.names
        return np.array([names.index(label) for label in self.rows.column("label")], np.int64)

    @cached_property
    def places(self) -> dict[str, tuple[str, int]]:
        """The split of each image and its row number there."""
        return {
            name: (split, row)
            for split, part in self.parts.items()
            for row, name in enumerate(part.column("sample_id").tolist())
        }

    def groups(self) -> npt.NDArray[np.object_]:
        """Return the group of each image: subject, sequence, duplicates; shape (N,)."""
        hashed = not self.rows.table.column("perceptual_hash").null_count
        return find_groups(self.rows, near=NEAR_THRESHOLD if hashed else None)

    def features(self, *, quiet: bool) -> npt.NDArray[np.float32]:
        """Return the features of each image, see `split_features`; shape (N, F)."""
        names = self.rows.column("sample_id")
        found: dict[str, npt.NDArray[np.float32]] = {}
        for split, part in self.parts.items():
            mine = [name for name in names if self.places[name][0] == split]
            rows = np.array([self.places[name][1] for name in mine], np.int64)
            found |= dict(zip(mine, split_features(part, rows, quiet=quiet), strict=True))
        return np.stack([found[name] for name in names])

    def images(self, names: list[str]) -> npt.NDArray[np.uint8]:
        """Return some images, uint8, shape (N, H, W, C)."""
        found = []
        for name in names:
            split, row = self.places[name]
            found.append(self.parts[split].gather([row], ("image",))["image"])
        return np.concatenate(found)
