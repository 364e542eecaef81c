"""A finished build on disk: what its `build.json` says, checked once, and where its shards are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ferdata.core.errors import BuildError, UnknownNameError
from ferdata.core.files import read_json
from ferdata.core.labels import LabelSpace
from ferdata.formats.names import BUILD_FILE, BUILD_FORMAT

_TRACES = ("plan.json", "hdf5", "hf", "manifest.parquet")  # of a build that was begun


class _Record(BaseModel):
    """Part of `build.json`; keys that a reader does not need are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ImageFormat(_Record):
    """How the images of a build are stored.

    Attributes:
        height: Rows of pixels.
        width: Columns of pixels.
        channels: 3 for RGB, 1 for gray.
        encoding: `"raw"` pixels, or one JPEG or PNG file per image.
    """

    height: int = Field(ge=1)
    width: int = Field(ge=1)
    channels: Literal[1, 3]
    encoding: Literal["raw", "jpeg", "png"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.height, self.width, self.channels


class LandmarkFormat(_Record):
    """The landmarks of a build.

    Attributes:
        scheme: Name of the landmark scheme; none where the build has no landmarks.
        points: Number of points P of `landmarks` (N, P, 2).
    """

    scheme: str | None = None
    points: int = Field(default=0, ge=0)


class SplitInfo(_Record):
    """One split as `build.json` lists it.

    Attributes:
        rows: Number of images, augmented copies included.
        shards: Paths of the shards inside the build, in order.
        counts: Images per class name.
    """

    rows: int = Field(ge=0)
    shards: tuple[str, ...]
    counts: dict[str, int] = Field(default_factory=dict)


class _SpaceFacts(_Record):
    name: str
    names: tuple[str, ...]


class _FileFacts(_Record):
    rows: int | None = None


class _BuildFile(_Record):
    name: str
    plan_sha256: str
    label_space: _SpaceFacts
    image: ImageFormat
    landmarks: LandmarkFormat = LandmarkFormat()
    splits: dict[str, SplitInfo]
    files: dict[str, _FileFacts] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    leaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Build:
    """A finished build, opened for reading.

    Attributes:
        root: The build directory.
        name: What was built, for instance `"rafdb"`.
        plan_sha256: Hash of the plan that every shard must carry.
        label_space: Gives `label` its class names.
        image: Shape and encoding of the images.
        landmarks: Scheme and number of landmarks.
        splits: Facts of each split by name.
        shard_rows: Images per shard, by the shard's path inside the build, where recorded.
        options: The options that it was built with, named as in `BuildOptions`.
        leaks: Why images of different splits are not independent; empty where they are.
    """

    root: Path
    name: str
    plan_sha256: str
    label_space: LabelSpace
    image: ImageFormat
    landmarks: LandmarkFormat
    splits: Mapping[str, SplitInfo]
    shard_rows: Mapping[str, int]
    options: Mapping[str, Any]
    leaks: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path | Build) -> Build:
        """Read the facts of a build.

        Args:
            path: The build directory or its `build.json`; an opened build is given back as it is.

        Raises:
            BuildError: There is no build, it was not finished, or its `build.json` is broken.
        """
        if isinstance(path, Build):
            return path
        root = Path(path).expanduser()
        if root.name == BUILD_FILE:
            root = root.parent
        facts = _read_facts(root)
        return cls(
            root=root,
            name=facts.name,
            plan_sha256=facts.plan_sha256,
            label_space=LabelSpace(facts.label_space.name, facts.label_space.names),
            image=facts.image,
            landmarks=facts.landmarks,
            splits=facts.splits,
            shard_rows={name: file.rows for name, file in facts.files.items() if file.rows},
            options=facts.options,
            leaks=facts.leaks,
        )

    def split(self, name: str) -> SplitInfo:
        """Return the facts of one split.

        Raises:
            UnknownNameError: The build has no such split; the message lists those it has.
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
                f"{split!r}); run the `ferdata build` command again, it renders what is not there."
            )
        return paths

    def _inside(self, shard: str) -> Path:
        relative = PurePosixPath(shard)
        if relative.is_absolute() or ".." in relative.parts or ":" in relative.parts[0]:
            raise BuildError(f"{self.root / BUILD_FILE}: shard path leaves the build: {shard!r}")
        return self.root / relative


def _read_facts(root: Path) -> _BuildFile:
    """Read and check `build.json`."""
    path = root / BUILD_FILE
    if not path.is_file():
        raise BuildError(_why_no_build(root))
    value = read_json(path)
    found: Any = value.get("format") if isinstance(value, dict) else None
    if found != BUILD_FORMAT:
        raise BuildError(
            f"{path}: format is {found!r}, this ferdata reads {BUILD_FORMAT!r}; "
            f"build again, or install the ferdata version that made it."
        )
    try:
        return _BuildFile.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BuildError(f"{path}: {where}: {first['msg']}; run `ferdata build` again.") from error


def _why_no_build(root: Path) -> str:
    """Say why a directory is no finished build and what to do."""
    if not root.exists():
        return f"{root}: no such directory; `ferdata build NAME --out {root}` makes a build there."
    if any((root / trace).exists() for trace in _TRACES):
        return (
            f"{root}: `ferdata build … --out {root}` was not finished (there is no {BUILD_FILE}); "
            f"run it again, it goes on where it stopped."
        )
    return f"{root}: not a build (there is no {BUILD_FILE}); give the directory of --out."
