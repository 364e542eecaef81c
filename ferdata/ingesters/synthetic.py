"""What a dataset's synthetic copy needs to know how to do: one class per dataset."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml

from ferdata.core.resources import manifests_folder
from ferdata.ingesters.contract import dataset_packages


@dataclass(frozen=True)
class Sample:
    """One image of a copy.

    Attributes:
        stem: Its name without ending, for instance `train_00001`.
        split: `train`, `validation`, `test` or `unsplit`, whatever the dataset's own word is.
        label: The name of the label that ingest reads by default; None for an image that is no row
            then, such as the frames of a film between its first and its last.
        code: The label's code in the dataset's own files; −1 for none.
    """

    stem: str
    split: str
    label: str | None
    code: int


class DemoWriter(ABC):
    """How a copy of one dataset is written. Holds no state, so that any process can make one.

    Attributes:
        name: The dataset's name.
        layouts: The layouts it can write; the first is the default.
        rejects: Kinds of rejects that ingest finds in a faithful copy, because the real one has
            them.
    """

    name: ClassVar[str]
    layouts: ClassVar[tuple[str, ...]]
    rejects: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def plan(self, layout: str, scale: float, seed: int) -> list[Sample]:
        """List the samples of a copy, in the order of the dataset's lists; draws nothing."""

    @abstractmethod
    def write_sample(self, root: Path, layout: str, sample: Sample, seed: int) -> None:
        """Draw one sample and write all files of its own; their folders exist."""

    @abstractmethod
    def folders(self, layout: str) -> Sequence[str]:
        """Name the folders that `write_sample` writes into, relative to the root."""

    @abstractmethod
    def write_lists(self, root: Path, layout: str, samples: Sequence[Sample]) -> None:
        """Write the files that speak of all samples."""


_WRITERS: dict[str, type[DemoWriter]] = {}

_Class = TypeVar("_Class", bound=type[DemoWriter])


def register(writer: _Class) -> _Class:
    """Register a writer class under its dataset's name."""
    _WRITERS[writer.name] = writer
    return writer


@cache
def writers() -> Mapping[str, DemoWriter]:
    """Return the writer of each dataset that can be copied, by name, sorted."""
    for folder in dataset_packages():
        importlib.import_module(f"{folder}.synthetic")
    return {name: _WRITERS[name]() for name in sorted(_WRITERS)}


@cache
def dataset_facts(name: str) -> dict[str, Any]:
    """Read a dataset's facts, `manifests/datasets/NAME.yaml`.

    `synth` rests on the ground floor only, so it reads the file and not `ferdata.ingesters.info`.
    Read once in each process; not to be changed.
    """
    path = manifests_folder() / "datasets" / f"{name}.yaml"
    info: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return info


def scaled_count(count: int, scale: float) -> int:
    """Return how many images of a class a smaller copy has: rounded, at least one."""
    return max(1, int(count * scale + 0.5))
