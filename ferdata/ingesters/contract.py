"""What an ingester is: it recognizes a dataset's layouts and reads their rows.

Everything that all datasets share (finding files, reading label lists, counting, building the
manifest) is done around it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ferdata.core.labels import LabelSpace
from ferdata.core.rejects import Reject
from ferdata.ingesters.evidence import Evidence
from ferdata.ingesters.evidence import confidence as confidence_of
from ferdata.ingesters.info import Counts, DatasetInfo, load_info, shipped_file
from ferdata.ingesters.notices import Notices
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

STAGE = "ingest"

OF_REJECTS = "images whose line in a list was rejected"
"""The rule for images that a rejected line names; the line is the reject."""

Choices = Mapping[str, str]
"""What to read where a dataset offers a choice, `{"poses": "half"}`; see `DatasetInfo`."""


@dataclass(frozen=True)
class Layout:
    """One way to read one copy of a dataset.

    Attributes:
        dataset: The dataset's name.
        name: The layout's name, one of those in the `DatasetInfo`.
        source: The kind of images, one of the keys of `DatasetInfo.image`.
        tree: The files of the copy; its root is the root that manifest uris are relative to.
        lists: Label lists, relative to the tree's root.
        confidence: How sure the detection is, 0 to 1.
        evidence: What it was recognized by, one sentence each.
        missing: What it takes to read the copy and is not there, and what to do; empty if nothing.
        notices: What is noticed in this copy; logged when it has been read.
        decisions: What the reader decided where the copy leaves it open, one sentence each; in the
            build's notes.
        ignored: Files that the reader knows and leaves out on purpose, by path, each with the rule
            that is counted in the summary, for instance `"images in other poses"`.
        used: Files of annotation, beside the lists, that the reader read; see `use`.
    """

    dataset: str
    name: str
    source: str
    tree: FileTree = field(repr=False)
    lists: tuple[str, ...]
    confidence: float
    evidence: tuple[str, ...]
    missing: str = ""
    notices: Notices = field(default_factory=Notices, repr=False, compare=False)
    decisions: list[str] = field(default_factory=list, repr=False, compare=False)
    ignored: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    used: set[str] = field(default_factory=set, repr=False, compare=False)

    @classmethod
    def below(
        cls,
        tree: FileTree,
        folder: str,
        dataset: str,
        name: str,
        *evidence: Evidence,
        lists: Iterable[str] = (),
        source: str = "images",
        missing: str = "",
    ) -> Layout:
        """Describe a copy below a folder of a tree; how sure it is follows from the evidence.

        `folder` is the copy's root and `lists` are its label lists, both relative to the tree; the
        other arguments are attributes of the class.
        """
        inner = tuple(path.removeprefix(f"{folder}/") for path in lists)
        sure = confidence_of(evidence, complete=not missing)
        texts = tuple(each.text for each in evidence)
        return cls(dataset, name, source, tree.below(folder), inner, sure, texts, missing)

    @property
    def root(self) -> Path:
        """The folder that manifest uris are relative to."""
        return self.tree.root

    def decide(self, sentence: str) -> None:
        """Record what the reader decided where the copy leaves it open; once, if said again."""
        if sentence not in self.decisions:
            self.decisions.append(sentence)

    def use(self, path: str) -> Path:
        """Return where a file of annotation is, and count it among those that were read."""
        self.used.add(path)
        return self.root / path

    def reject(self, key: str, uri: str, reason: str) -> Reject:
        """Return the reject of a row.

        Args:
            key: The sample's name inside the dataset; empty where it has none.
            uri: Path relative to the root, `list.txt#12` for a line of a file.
            reason: A kind of reject, a colon, and the details, so that kinds can be counted.
        """
        return Reject(f"{self.dataset}/{key}" if key else "", uri, STAGE, reason)


class Ingester(ABC):
    """Reads one dataset. Holds no state.

    Attributes:
        name: The dataset's name.
        info_file: The YAML file of its `DatasetInfo`; None for one that ships with ferdata.
    """

    name: ClassVar[str]
    info_file: ClassVar[Path | None] = None

    @property
    def info(self) -> DatasetInfo:
        """The dataset's license, codes, counts and layouts."""
        return load_info(self.info_file or shipped_file(self.name), self.name)

    @abstractmethod
    def detect(self, tree: FileTree) -> list[Layout]:
        """Return every way in which this dataset can be read from a tree.

        Where an image source or an archive is missing, the layout says so; `read` then says what
        to do. Evidence that is too weak for a claim may be returned: it is not taken.
        """

    @abstractmethod
    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Yield each row of the dataset, as a sample or as a reject with its reason.

        Args:
            layout: What `detect` returned.
            choices: A value for each of the dataset's choices; and `codes`, the order of the label
                codes, where one was asked for (see `ferdata.ingesters.code_orders`).

        Raises:
            FerdataError: The copy as a whole can't be read.
        """

    def label_space(self, choices: Choices) -> LabelSpace:
        """Return the label space of the rows that are read under these choices."""
        return self.info.space

    def space_of(self, labels: Iterable[str], choices: Choices) -> LabelSpace:
        """Return the label space of rows that have been read.

        Args:
            labels: The labels that occur; they matter only where the classes aren't known before.
            choices: What was chosen.
        """
        return self.label_space(choices)

    def recorded(self) -> dict[str, Any]:
        """Return what the manifest records so that the dataset's info is known without it."""
        return {}

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return the published number of rows by split and class; empty where none are known.

        Rows without an official split stand under `UNSPLIT`, a whole split under `ALL_CLASSES`.
        """
        return self.info.expected_counts(layout.name)
