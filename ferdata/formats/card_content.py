"""The content of a dataset card, as recorded by the build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ferdata.formats.content import ShardSpec

Counts = Mapping[str, Mapping[str, int]]
"""Rows by split and class: `{split: {label: rows}}`."""


@dataclass(frozen=True)
class CardSource:
    """A dataset that a build was made from.

    Attributes:
        name: Its name in ferdata, for instance `"rafdb"`.
        title: Its full name.
        license: Its license in short.
        usage: What its authors allow and ask for.
        citation: BibTeX or text.
        homepage: Where to get it; empty if unknown.
        description: What it contains and how it was made.
        publication: The publication that describes it, as a sentence.
        access: How to get it, step by step.
        caveats: What its users should know.
        drawn: Whether the build has a synthetic copy of it, and no image of it.
    """

    name: str
    title: str
    license: str
    usage: str
    citation: str
    homepage: str = ""
    description: str = ""
    publication: str = ""
    access: Sequence[str] = ()
    caveats: Sequence[str] = ()
    drawn: bool = False


@dataclass(frozen=True)
class KnownValues:
    """What is known about the source images beside their labels.

    Attributes:
        subjects: Number of different persons that are named.
        attributes: Images by attribute of the person and value: `{"gender": {"female": 12}}`.
        annotated: Images with a further annotation, by its name: `{"votes": 300}`.
    """

    subjects: int = 0
    attributes: Counts = field(default_factory=dict)
    annotated: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CardContent:
    """The content of a card.

    Attributes:
        name: Name of the build, for instance `"rafdb"`.
        spec: Any shard of the build: columns, image size, label space, landmark scheme.
        counts_before: Rows by split and class before augmentation.
        counts: Rows by split and class as stored.
        split_rule: The split rule, for instance `"official"`.
        seed: Random seed.
        alignment: Description of the alignment, with its version.
        landmarks: Rows by source of their landmarks: `dataset`, a detector's name, `none`.
        rejects: Rejected rows by stage and reason: `{stage: {reason: rows}}`.
        sources: The datasets of the build.
        plan_sha256: Hash of the plan.
        split_digest: The split's name, the same for equal splits; empty where unknown.
        ferdata_version: Version of ferdata.
        validation: Fraction of train that was held out as validation; 0 if none.
        augmentation: Description of the augmentation; empty if there is none.
        operations: Each operation of the augmentation and its range as text, in order.
        versions: Versions of everything that affects pixels.
        synthetic: True if all images are drawn.
        leaks: Why rows of different splits are not independent; empty if they are.
        findings: Source images by what is unusual about them, see `ferdata.core.findings`.
        notes: Why results may not be comparable with others'.
        recipe: The name of the recipe, then how the counts compare with its paper; empty without a
            recipe.
        known: What is known about the source images beside their labels.
        num_bytes: Size of each split's files; if empty, `write_card` measures the files beside the
            card.
    """

    name: str
    spec: ShardSpec
    counts_before: Counts
    counts: Counts
    split_rule: str
    seed: int
    alignment: str
    landmarks: Mapping[str, int]
    rejects: Mapping[str, Mapping[str, int]]
    sources: Sequence[CardSource]
    plan_sha256: str
    split_digest: str
    ferdata_version: str
    validation: float = 0.0
    augmentation: str = ""
    operations: Sequence[tuple[str, str]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
    leaks: str = ""
    findings: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    recipe: Sequence[str] = ()
    known: KnownValues = KnownValues()
    num_bytes: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Title of the build, from the titles of its sources."""
        title = " + ".join(unique(source.title for source in self.sources)) or self.name
        return f"{title}, synthetic copy" if self.synthetic else title


def count(counts: Counts, split: str, label: str | None = None) -> int:
    """Return the rows of a class in a split; of all classes for None."""
    by_label = counts.get(split, {})
    return sum(by_label.values()) if label is None else by_label.get(label, 0)


def unique(words: Iterable[str]) -> list[str]:
    """Return each word once, in order."""
    return list(dict.fromkeys(words))
