"""A finished build on disk, opened for reading: its record and its shards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from ferdata.core.errors import BuildError, UnknownNameError
from ferdata.core.labels import LabelSpace
from ferdata.core.split_rules import SPLITS
from ferdata.formats.names import BUILD_FILE
from ferdata.shards.record import BuildRecord, ImageRecord, LandmarkRecord, SplitRecord


@dataclass(frozen=True)
class Build:
    """A finished build, opened for reading.

    Attributes:
        root: The build directory.
        record: The build's record.
    """

    root: Path
    record: BuildRecord

    @classmethod
    def open(cls, path: str | os.PathLike[str] | Build) -> Self:
        """Open a build.

        Args:
            path: The build directory or its `build.json`; an open build is returned as it is.

        Raises:
            BuildError: There is no build, it is not finished, or its `build.json` is damaged.
        """
        if isinstance(path, cls):
            return path
        if isinstance(path, Build):
            return cls(path.root, path.record)
        root = Path(path).expanduser()
        if root.name == BUILD_FILE:
            root = root.parent
        return cls(root, BuildRecord.open(root))

    @property
    def name(self) -> str:
        """The dataset or mix, for instance `"rafdb"`."""
        return self.record.name

    @property
    def plan_sha256(self) -> str:
        """Hash of the plan, which is also in every shard."""
        return self.record.plan_sha256

    @property
    def label_space(self) -> LabelSpace:
        """The classes by index."""
        return self.record.space

    @property
    def image(self) -> ImageRecord:
        """Shape and encoding of the images."""
        return self.record.image

    @property
    def landmarks(self) -> LandmarkRecord:
        """Scheme and number of landmarks."""
        return self.record.landmarks

    @property
    def splits(self) -> Mapping[str, SplitRecord]:
        """The splits by name, train first."""
        there = self.record.splits
        return {name: there[name] for name in SPLITS if name in there}

    @property
    def leaks(self) -> tuple[str, ...]:
        """Why images of different splits are not independent; empty if they are."""
        return self.record.leaks

    def split(self, name: str) -> SplitRecord:
        """Return one split.

        Raises:
            UnknownNameError: The build has no such split; the message lists its splits.
        """
        try:
            return self.splits[name]
        except KeyError:
            raise UnknownNameError(f"split of {self.root}", name, self.splits) from None

    def shard_paths(self, split: str) -> list[Path]:
        """Return the paths of a split's shards, in order.

        Raises:
            UnknownNameError: The build has no such split.
            BuildError: A shard is missing, or its path leaves the build directory.
        """
        paths = [self._inside(shard) for shard in self.split(split).shards]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise BuildError(
                f"{missing[0]}: shard is missing ({len(missing)} of {len(paths)} of split "
                f"{split!r}); run the `ferdata build` command again to render missing shards."
            )
        return paths

    def _inside(self, shard: str) -> Path:
        relative = PurePosixPath(shard)
        if relative.is_absolute() or ".." in relative.parts or ":" in relative.parts[0]:
            raise BuildError(f"{self.root / BUILD_FILE}: shard path leaves the build: {shard!r}")
        return self.root / relative
