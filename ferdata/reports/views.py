"""What a page shows, as records; their JSON is the block `data` of the page.

Fields that are excluded from the JSON hold pixels, never numbers.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, computed_field

from ferdata.audits.findings import AuditReport
from ferdata.core.records import RecordPart
from ferdata.core.version import __version__
from ferdata.evaluation.calibration import Calibration
from ferdata.evaluation.metrics import Scores
from ferdata.shards.record import BuildRecord, Counts

REPORT_FORMAT = "ferdata-report/1"


class Thumbnail(RecordPart):
    """A small image with what is known about it."""

    sample: str
    label: str = ""
    split: str = ""
    dataset: str = ""
    text: str = ""
    """What is to be seen, for instance the operations of a copy."""
    width: int = Field(exclude=True)
    height: int = Field(exclude=True)
    image: str = Field(exclude=True, repr=False)
    """A data URI."""
    points: str = Field("", exclude=True, repr=False)
    """The landmarks as an SVG path of dots, in pixels of the image; empty without any."""


class Stage(RecordPart):
    """One stage on the way from files to shards."""

    name: str
    rows: int
    """Rows that leave the stage."""
    removed: int = 0
    """Rows that it rejected."""
    added: int = 0
    """Augmented copies that it added."""
    text: str = ""
    """What happened, in a few words."""


class RejectedRow(RecordPart):
    """A row that was rejected."""

    uri: str
    stage: str
    reason: str


class Attribute(RecordPart):
    """Source images by the value of an attribute and by class."""

    name: str
    known: int
    unknown: int
    counts: dict[str, Counts]
    """Images by value and class."""


class ClassSheet(RecordPart):
    """Images of one class."""

    label: str
    samples: tuple[Thumbnail, ...] = ()
    mean: Thumbnail | None = None
    averaged: int = 0
    """Number of source images behind the mean face."""


class CopySheet(RecordPart):
    """An image and its augmented copies."""

    original: Thumbnail
    copies: tuple[Thumbnail, ...]


class DuplicateGroup(RecordPart):
    """Stored images that are the same."""

    labels: tuple[str, ...]
    splits: tuple[str, ...]
    samples: tuple[str, ...] = ()
    """Their ids; none without faces."""
    bits: int | None = None
    """Bits of the perceptual hashes, of 256, in which they differ at most; None: equal pixels."""
    images: tuple[Thumbnail, ...] = Field((), exclude=True)


class Duplicates(RecordPart):
    """Images that are stored more than once, or were."""

    action: str = ""
    """What was done with duplicates in different splits: `drop` or `keep`."""
    dropped: int = 0
    clusters: int = 0
    """Groups before any was dropped."""
    across_splits: int = 0
    conflicting: int = 0
    """Groups with more than one label."""
    stored: int = 0
    """Groups that are stored."""
    groups: tuple[DuplicateGroup, ...] = ()
    """Some of the groups that are stored."""


class UnusualSheet(RecordPart):
    """Images with one finding."""

    finding: str
    images: tuple[Thumbnail, ...]


class BuildView(RecordPart):
    """A build."""

    record: BuildRecord
    title: str
    command: str
    """The command that repeats the build."""
    split_digest: str = ""
    """The split's name, the same for equal splits; empty where the build does not record it."""
    splits: tuple[str, ...]
    images: int
    """Stored images, augmented copies included."""
    sources: int
    """Stored images without copies."""
    stages: tuple[Stage, ...]
    rejected: tuple[RejectedRow, ...] = ()
    """Some of the rejected rows, a few of each kind; none without faces."""
    duplicates: Duplicates
    attributes: tuple[Attribute, ...]
    paper_texts: tuple[str, ...] = ()
    """How the counts compare with those of the recipe's paper, in words."""
    sheets: tuple[ClassSheet, ...] = ()
    copies: tuple[CopySheet, ...] = ()
    unusual: tuple[UnusualSheet, ...] = ()
    without_images: str = ""
    """Why no images are shown; empty if they are."""

    def stored(self, split: str) -> Counts:
        """Return the stored images of a split by class."""
        return self.record.splits[split].counts

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def copied(self) -> int:
        """Stored augmented copies."""
        return self.images - self.sources

    @computed_field  # type: ignore[prop-decorator]
    @property
    def findings(self) -> int:
        """Findings about images."""
        return sum(self.record.summary.quality.values())


class Mistake(RecordPart):
    """A wrong prediction."""

    label: str
    predicted: str
    confidence: float
    sample: str = ""
    """Its id; empty without faces."""
    image: Thumbnail | None = Field(None, exclude=True)


class GroupAccuracy(RecordPart):
    """Accuracy on the images of one group."""

    name: str
    n: int
    accuracy: float
    low: float
    high: float


class GroupAccuracies(RecordPart):
    """Accuracy by subject, attribute or dataset."""

    by: str
    unknown: int
    mean: float
    lowest: str
    """Name of the group with the lowest accuracy; empty where it is a person's."""
    lowest_accuracy: float
    number: int
    groups: tuple[GroupAccuracy, ...] = ()
    """The groups; none of subjects, of which there are many."""


class EvaluationView(RecordPart):
    """Scores of a run on one split of one build."""

    build: str
    plan_sha256: str
    split: str
    split_digest: str
    """The name of the build's split; empty where it is not recorded."""
    checkpoint: str
    checkpoint_sha256: str
    own: bool
    """Whether it is the build that the run was trained on."""
    warnings: tuple[str, ...]
    classes: tuple[str, ...]
    scores: Scores
    calibration: Calibration
    groups: tuple[GroupAccuracies, ...]
    wrong: int
    mistakes: tuple[Mistake, ...]
    """The most confident ones."""


class RunView(RecordPart):
    """A training run."""

    model: str
    build: str
    plan_sha256: str
    build_version: str
    recipe: str
    finished: bool
    parameters: int | None
    epochs: int | None
    best_epoch: int | None
    select: str | None
    seconds: float | None
    seed: int
    history: tuple[dict[str, float], ...]
    options: dict[str, Any]
    command: str
    evaluations: tuple[EvaluationView, ...]


class FindingImages(RecordPart):
    """Images that show a finding, by example."""

    finding: int
    """Position of the finding."""
    examples: tuple[tuple[Thumbnail, ...], ...] = Field((), exclude=True)


class AuditView(RecordPart):
    """An audit."""

    audit: AuditReport
    images: tuple[FindingImages, ...] = Field((), exclude=True)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def clean(self) -> int:
        """Rules that found nothing."""
        return sum(rule.outcome == "clean" for rule in self.audit.rules)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def severities(self) -> dict[str, int]:
        """Findings by severity."""
        return {str(name): number for name, number in self.audit.counts.items()}

    def examples_of(self, finding: int) -> tuple[tuple[Thumbnail, ...], ...]:
        """Return the images of a finding's examples."""
        return next((each.examples for each in self.images if each.finding == finding), ())


class Report(RecordPart):
    """All that a page shows."""

    format: Literal["ferdata-report/1"] = "ferdata-report/1"
    ferdata_version: str = __version__
    title: str
    command: str
    """The command that writes the page."""
    faces: bool
    builds: tuple[BuildView, ...] = ()
    runs: tuple[RunView, ...] = ()
    audits: tuple[AuditView, ...] = ()
