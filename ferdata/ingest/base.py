"""What an ingester is: it recognises a dataset's layouts and reads their rows.

One file per dataset registers one class with two methods. Everything that all datasets share
(finding files, label lists, counting, building the manifest) is done around it.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ferdata.errors import UnknownNameError
from ferdata.ingest.facts import DatasetFacts, facts
from ferdata.ingest.tree import FileTree
from ferdata.manifest import Reject

STAGE = "ingest"

_MODULES = ("ferdata.ingest.rafdb",)
"""The modules that hold ingesters; a new dataset is added here."""

_REGISTRY: dict[str, type[Ingester]] = {}


@dataclass(frozen=True)
class Layout:
    """One way of reading one copy of a dataset.

    Attributes:
        dataset: The dataset's name.
        name: The layout's name, one of those in the dataset's facts.
        source: The kind of images: `aligned` or `original`.
        tree: The files of the copy; its root is the root that manifest uris are relative to.
        lists: Label lists, relative to the tree's root.
        confidence: How sure the detection is, 0 to 1.
        evidence: What it was recognised by, one sentence each.
    """

    dataset: str
    name: str
    source: str
    tree: FileTree = field(repr=False)
    lists: tuple[str, ...]
    confidence: float
    evidence: tuple[str, ...]

    @property
    def root(self) -> Path:
        """The folder that manifest uris are relative to."""
        return self.tree.root


@dataclass(frozen=True, slots=True)
class Sample:
    """One image as its dataset describes it; the fields are columns of the manifest.

    Attributes:
        key: The sample's name inside the dataset, for instance `train_00001`.
        uri: Posix path relative to the layout's root.
        label: A name of the dataset's label space.
        label_native: The dataset's own code or word.
        official_split: The authors' split, `train`, `validation` or `test`.
        split_native: The copy's own word for it.
        gender: A word of the dataset's facts, as are `race` and `age_group`.
        race: See `gender`.
        age_group: See `gender`.
        box: x1, y1, x2, y2 in pixels of this image.
        five_points: x, y of eye centres, nose tip and mouth corners, image-left first, as ten
            numbers in pixels of this image.
        landmarks: (x, y) of each point of `landmark_scheme`, in pixels of this image.
        landmark_scheme: Name of the scheme of `landmarks`.
        landmark_source: `dataset` where the dataset gives points in this image's pixels.
    """

    key: str
    uri: str
    label: str
    label_native: str
    official_split: str | None = None
    split_native: str | None = None
    gender: str | None = None
    race: str | None = None
    age_group: str | None = None
    box: Sequence[float] | None = None
    five_points: Sequence[float] | None = None
    landmarks: Sequence[Sequence[float]] | None = None
    landmark_scheme: str | None = None
    landmark_source: str | None = None

    def row(self, layout: Layout, dataset: DatasetFacts) -> dict[str, Any]:
        """Return this sample as a row of the manifest."""
        row = {column: getattr(self, column) for column in _COLUMNS}
        return row | {
            "sample_id": f"{layout.dataset}/{self.key}",
            "dataset": layout.dataset,
            "layout": layout.name,
            "framing": dataset.layout(layout.name).framing,
            "soft_label": dataset.soft_label(self.label),
        }


_COLUMNS = tuple(each.name for each in fields(Sample) if each.name != "key")


class Ingester(ABC):
    """Reads one dataset; registered under its name with `register`."""

    name: ClassVar[str]

    @property
    def facts(self) -> DatasetFacts:
        """What is known about the dataset."""
        return facts(self.name)

    @abstractmethod
    def detect(self, tree: FileTree) -> list[Layout]:
        """Return every way in which this dataset can be read from a tree, best first.

        A layout that lacks something, such as an archive to be extracted, is returned with a low
        confidence; `read` then says what to do.
        """

    @abstractmethod
    def read(self, layout: Layout) -> Iterator[Sample | Reject]:
        """Yield each row of the dataset, as a sample or with the reason why it can't be one.

        Raises:
            FerdataError: The copy as a whole can't be read.
        """


_Class = TypeVar("_Class", bound=type[Ingester])


def register(name: str) -> Callable[[_Class], _Class]:
    """Register an ingester class under a dataset's name."""

    def decorate(ingester: _Class) -> _Class:
        ingester.name = name
        _REGISTRY[name] = ingester
        return ingester

    return decorate


def ingesters() -> Mapping[str, Ingester]:
    """Return an ingester of every registered dataset, by name, sorted."""
    for module in _MODULES:
        importlib.import_module(module)
    return {name: _REGISTRY[name]() for name in sorted(_REGISTRY)}


def ingester(name: str) -> Ingester:
    """Return the ingester of a dataset.

    Raises:
        UnknownNameError: No such dataset is registered.
    """
    known = ingesters()
    if name not in known:
        raise UnknownNameError("dataset", name, known)
    return known[name]


def reject(dataset: str, key: str, uri: str, reason: str) -> Reject:
    """Make the reject of a row that ingest leaves behind.

    Args:
        dataset: The dataset's name.
        key: The sample's name inside the dataset; empty where it has none.
        uri: Path relative to the layout's root, `list.txt#12` for a line of a file.
        reason: A kind of reject, a colon, and the details, so that kinds can be counted.
    """
    return Reject(f"{dataset}/{key}" if key else "", uri, STAGE, reason)
