"""What an ingester is: it recognizes a dataset's layouts and reads their rows.

One file per dataset registers one class with two methods. Everything that all datasets share
(finding files, label lists, counting, building the manifest) is done around it.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar, TypeVar

from ferdata.core.errors import UnknownNameError
from ferdata.core.labels import LabelSpace
from ferdata.core.manifest import Reject
from ferdata.ingesters.info import Counts, DatasetInfo, dataset_info
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

STAGE = "ingest"

Choices = Mapping[str, str]
"""What to read of a dataset that leaves a choice, `{"poses": "half"}`; see `DatasetInfo`."""

_REGISTRY: dict[str, type[Ingester]] = {}


@dataclass(frozen=True)
class Layout:
    """One way of reading one copy of a dataset.

    Attributes:
        dataset: The dataset's name.
        name: The layout's name, one of those in the `DatasetInfo`.
        source: The kind of images: `aligned` or `original`.
        tree: The files of the copy; its root is the root that manifest uris are relative to.
        lists: Label lists, relative to the tree's root.
        confidence: How sure the detection is, 0 to 1.
        evidence: What it was recognized by, one sentence each.
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


class Ingester(ABC):
    """Reads one dataset; registered under its name with `register`."""

    name: ClassVar[str]

    @property
    def info(self) -> DatasetInfo:
        """What is known about the dataset."""
        return dataset_info(self.name)

    @abstractmethod
    def detect(self, tree: FileTree) -> list[Layout]:
        """Return every way in which this dataset can be read from a tree, best first.

        A layout that lacks something, such as an archive to be extracted, is returned with a low
        confidence; `read` then says what to do.
        """

    @abstractmethod
    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Yield each row of the dataset, as a sample or with the reason why it can't be one.

        Args:
            layout: What `detect` returned.
            choices: A value for each of the dataset's choices.

        Raises:
            FerdataError: The copy as a whole can't be read.
        """

    def label_space(self, choices: Choices) -> LabelSpace:
        """Return the label space of the rows that are read under these choices."""
        return self.info.space

    def expected_counts(
        self,
        layout: Layout,
        choices: Choices,
    ) -> Mapping[str, Counts]:
        """Return the published number of rows by split and class; empty where none are known.

        Rows without an official split stand under `UNSPLIT`, a whole split under `ALL_CLASSES`.
        """
        return self.info.expected_counts(layout.name)


_Class = TypeVar("_Class", bound=type[Ingester])


def register(name: str) -> Callable[[_Class], _Class]:
    """Register an ingester class under a dataset's name."""

    def decorate(ingester: _Class) -> _Class:
        ingester.name = name
        _REGISTRY[name] = ingester
        return ingester

    return decorate


def dataset_packages() -> tuple[str, ...]:
    """Return the full names of the packages of single datasets, sorted."""
    package = __name__.rpartition(".")[0]
    home = str(Path(__file__).parent)
    return tuple(f"{package}.{each.name}" for each in pkgutil.iter_modules([home]) if each.ispkg)


@cache
def all_ingesters() -> Mapping[str, Ingester]:
    """Return an ingester of every registered dataset, by name, sorted."""
    for folder in dataset_packages():
        importlib.import_module(f"{folder}.ingester")
    return {name: _REGISTRY[name]() for name in sorted(_REGISTRY)}


def ingester(name: str) -> Ingester:
    """Return the ingester of a dataset.

    Raises:
        UnknownNameError: No such dataset is registered.
    """
    known = all_ingesters()
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
