"""The record of a finished build, `build.json`, which is written last."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ferdata.core.errors import BuildError
from ferdata.core.labels import LabelSpace
from ferdata.core.records import Record, RecordPart
from ferdata.core.version import __version__
from ferdata.faces.set_alignment import SetAlignment, with_alignment
from ferdata.formats.names import BUILD_FILE, BUILD_FORMAT
from ferdata.shards.options import BuildOptions

Counts = dict[str, int]
"""Images by class name."""

_STARTED = ("plan.json", "hdf5", "hf", "manifest.parquet")  # there as soon as a build was started


class LabelSpaceRecord(RecordPart):
    """The classes: the label of an image is the position of its class in `names`."""

    name: str
    names: tuple[str, ...]


class ImageRecord(RecordPart):
    """How the images are stored."""

    height: int = Field(ge=1)
    """Rows of pixels."""
    width: int = Field(ge=1)
    """Columns of pixels."""
    channels: Literal[1, 3]
    """3 for RGB, 1 for gray."""
    encoding: Literal["raw", "jpeg", "png"]
    """`raw` pixels, or one JPEG or PNG file per image."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.height, self.width, self.channels


class LandmarkRecord(RecordPart):
    """The landmarks: name of their scheme and number of points P of `landmarks` (N, P, 2)."""

    scheme: str | None = None
    points: int = Field(default=0, ge=0)


class SplitRecord(RecordPart):
    """One split."""

    rows: int = Field(ge=0)
    """Number of images, augmented copies included."""
    counts: Counts = {}
    """Images per class."""
    shards: tuple[str, ...]
    """Paths of the shards inside the build, posix, in order."""


class FileRecord(RecordPart):
    """One file of the build."""

    sha256: str
    rows: int | None = None
    """Images in a shard; None for other files."""


class RejectRecord(RecordPart):
    """The rows in `rejects.parquet`."""

    total: int = 0
    by_stage: Counts = {}
    by_reason: dict[str, Counts] = {}
    """Rows by stage and kind of reason."""
    ignored: Counts = {}
    """Files of the data folders that are no images of the dataset, by rule; they are no rejects."""


class SetScale(RecordPart):
    """One dataset's source images, as they are built."""

    eyes: float | None = None
    """Median distance of the eyes as a fraction of the image's side; None without landmarks."""
    outside: float = 0.0
    """Mean fraction of an image that lies outside its source."""


class SummaryRecord(RecordPart):
    """Counts before and after augmentation, and the provenance of the rows."""

    before: dict[str, Counts] = {}
    """Source images by split and class."""
    after: dict[str, Counts] = {}
    """Stored images by split and class."""
    by_dataset: dict[str, dict[str, Counts]] = {}
    """Source images by dataset, split and class."""
    faces: Counts = {}
    """Source images by source of their landmarks."""
    faces_by_class: dict[str, Counts] = {}
    """Images by class in which a face was `found` and `missing`, before the split."""
    scales: dict[str, SetScale] = {}
    """Scale of the faces by dataset."""
    quality: Counts = {}
    """Source images by what is unusual about them, see `ferdata.core.findings`."""
    provenance: dict[str, Any] = {}
    """What the stages recorded in the manifest, by stage."""


class PaperCounts(RecordPart):
    """The counts of one of a paper's tables, compared with those of the build."""

    where: str
    """The table."""
    compared: tuple[str, ...] = ()
    """Which of the table's counts were compared."""
    matches: bool | None = None
    """Whether all are equal; None if nothing was compared."""
    differences: dict[str, dict[str, dict[str, int | None]]] = {}
    """The build's and the paper's number by kind of count and class, where they differ."""
    why: str = ""
    """Why they differ, or why they were not compared."""


class RecipeRecord(RecordPart):
    """The recipe that the build follows."""

    name: str
    leak_free: bool = False
    expected: tuple[PaperCounts, ...] = ()


class BuildRecord(Record):
    """All that is known about a finished build; without times and absolute paths."""

    file_name: ClassVar[str] = BUILD_FILE
    current: ClassVar[str] = BUILD_FORMAT
    error: ClassVar[type[BuildError]] = BuildError
    remedy: ClassVar[str] = (
        "run the `ferdata build` command again: it keeps intact shards and rewrites the record"
    )

    format: str = BUILD_FORMAT
    name: str
    """The dataset or mix, for instance `rafdb`."""
    ferdata_version: str = __version__
    plan_sha256: str
    """Hash of the plan, which is also in every shard."""
    seed: int = 0
    label_space: LabelSpaceRecord
    image: ImageRecord
    landmarks: LandmarkRecord = LandmarkRecord()
    splits: dict[str, SplitRecord]
    files: dict[str, FileRecord] = {}
    """Every file by its path inside the build, posix."""
    options: BuildOptions = BuildOptions()
    alignment: SetAlignment = SetAlignment()
    """How images are brought to the output; new images are prepared by it."""
    versions: dict[str, str] = {}
    """Versions that can change a pixel, a label or a file, those of plugins included."""
    leaks: tuple[str, ...] = ()
    """Why images of different splits are not independent; empty if they are."""
    notes: tuple[str, ...] = ()
    """Caveats: fallbacks, and why results may not be comparable with others'."""
    datasets: dict[str, str] = {}
    """Title of each dataset by its name."""
    rejects: RejectRecord = RejectRecord()
    summary: SummaryRecord = SummaryRecord()
    recipe: RecipeRecord | None = None

    _old = model_validator(mode="before")(with_alignment)

    @cached_property
    def space(self) -> LabelSpace:
        """The label space."""
        return LabelSpace(self.label_space.name, self.label_space.names)

    @property
    def rows(self) -> int:
        """Number of stored images."""
        return sum(split.rows for split in self.splits.values())

    @property
    def split_digest(self) -> str:
        """The split's name, `split:sha256:…`, the same for equal splits; empty where unknown."""
        return str(self.summary.provenance.get("split", {}).get("digest", ""))

    @property
    def synthetic_scale(self) -> float | None:
        """Size of the synthetic copy that the build was made from; None for real data."""
        scale: float | None = self.summary.provenance.get("ingest", {}).get("synthetic_scale")
        return scale

    @property
    def drawn_datasets(self) -> frozenset[str]:
        """The datasets of which the build has a synthetic copy; a mix may have only some."""
        provenance = self.summary.provenance
        parts = provenance.get("merge", {}).get("sources")
        if parts is None:
            return frozenset(self.datasets if self.synthetic_scale is not None else ())
        drawn = (
            name for name, part in parts.items() if "synthetic_scale" in part.get("ingest", {})
        )
        return frozenset(drawn) & frozenset(self.datasets)

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Return why a folder is not a finished build."""
        if not folder.exists():
            return f"{folder}: no such folder; run `ferdata build NAME --out {folder}` to create it"
        if any((folder / name).exists() for name in _STARTED):
            return (
                f"{folder}: this build is not finished (it has no {cls.file_name}); run the same "
                "`ferdata build` command again to resume it"
            )
        return (
            f"{folder}: not a build (it has no {cls.file_name}); pass the --out of `ferdata build`"
        )
