"""How a dataset's synthetic copy is drawn: one class per dataset, and what they share."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import cv2

from ferdata.core.draws import generator
from ferdata.ingesters.catalog import dataset_packages
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.lookup import dataset_info
from ferdata.synth.paint import Pixels

ROWS_FOLDER = ".rows"
"""Where the rows of a table wait until all are drawn; hidden, so that it is not read as data."""


@dataclass(frozen=True)
class DemoImage:
    """One image of a copy.

    Attributes:
        stem: Its name without ending, for instance `train_00001`.
        split: `train`, `validation`, `test` or `unsplit`, whatever the dataset's own word is.
        label: The label that ingest reads by default; None for an image that is not a row then,
            such as the frames in the middle of a sequence.
        code: The label's code in the dataset's own files; −1 for none.
    """

    stem: str
    split: str
    label: str | None
    code: int


Image = TypeVar("Image", bound=DemoImage)
Key = TypeVar("Key", bound=Hashable)


class DemoWriter(ABC, Generic[Image]):
    """How a copy of one dataset is written. Holds no state, so that any process can make one.

    Attributes:
        name: The dataset's name.
        layouts: The layouts it can write; the first is the default.
        rejects: Kinds of rejects that ingest finds in a faithful copy, as in the real one.
        choices: What a copy must be read with, by layout: the order of its codes, which a small
            copy doesn't show.
    """

    name: ClassVar[str]
    layouts: ClassVar[tuple[str, ...]]
    rejects: ClassVar[tuple[str, ...]] = ()
    choices: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    @property
    def info(self) -> DatasetInfo:
        """The dataset's codes and counts."""
        return dataset_info(self.name)

    @abstractmethod
    def plan(self, layout: str, scale: float, seed: int) -> list[Image]:
        """List the images of a copy, in the order of the dataset's lists; draws no image."""

    @abstractmethod
    def write_image(self, root: Path, layout: str, image: Image, seed: int) -> None:
        """Draw one image and write all files of its own; their folders exist."""

    @abstractmethod
    def folders(self, layout: str) -> Sequence[str]:
        """Return the folders that `write_image` writes into, relative to the root."""

    @abstractmethod
    def write_lists(self, root: Path, layout: str, images: Sequence[Image]) -> None:
        """Write the files about all images."""


_WRITERS: dict[str, type[DemoWriter[Any]]] = {}

_Class = TypeVar("_Class", bound=type[DemoWriter[Any]])


def register(writer: _Class) -> _Class:
    """Register a writer class under its dataset's name."""
    _WRITERS[writer.name] = writer
    return writer


@cache
def writers() -> Mapping[str, DemoWriter[Any]]:
    """Return the writer of each dataset that can be copied, by name, sorted."""
    for package in dataset_packages():
        importlib.import_module(f"{package}.synthetic")
    return {name: _WRITERS[name]() for name in sorted(_WRITERS)}


def shuffled(counts: Mapping[Key, int], scale: float, seed: int, name: str) -> list[Key]:
    """Return each key as often as a copy of a scale has it, in an order drawn for a name."""
    keys = [key for key, count in counts.items() for _ in range(scaled_count(count, scale))]
    order = generator(seed, name, purpose="demo order")
    return [keys[index] for index in order.permutation(len(keys)).tolist()]


def scaled_count(count: int, scale: float) -> int:
    """Return the number of images of a class at a scale: rounded, at least one."""
    return max(1, int(count * scale + 0.5))


def save_image(
    path: Path, pixels: Pixels, *, gray: bool = False, options: Sequence[int] = ()
) -> None:
    """Write an image in the format of its file name.

    Args:
        path: The file.
        pixels: uint8 RGB, shape (H, W, 3), or gray, shape (H, W).
        gray: Store RGB as gray.
        options: Of OpenCV's encoder.
    """
    to_file = cv2.COLOR_RGB2GRAY if gray else cv2.COLOR_RGB2BGR
    stored = cv2.cvtColor(pixels, to_file) if pixels.ndim == 3 else pixels
    _, data = cv2.imencode(path.suffix, stored, options)
    path.write_bytes(data.tobytes())


def pixel_text(pixels: Pixels) -> str:
    """Return an RGB image as gray numbers between spaces, row by row."""
    return " ".join(map(str, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).reshape(-1).tolist()))


def store_row(root: Path, image: DemoImage, text: str) -> None:
    """Keep an image's row until `write_table`; it may be drawn in another process."""
    (root / ROWS_FOLDER / f"{image.stem}.txt").write_bytes(text.encode("ascii"))


def write_table(
    path: Path,
    header: str,
    root: Path,
    images: Iterable[Image],
    row: Callable[[Image, str], str] = lambda _, text: text,
) -> None:
    """Write a csv of rows that `store_row` kept.

    Args:
        path: The csv.
        header: Its first line.
        root: The copy's root.
        images: The images, in the order of the rows.
        row: Returns the line of an image, given what was stored.
    """
    stored = ((each, root / ROWS_FOLDER / f"{each.stem}.txt") for each in images)
    rows = (row(image, file.read_text(encoding="ascii")) for image, file in stored)
    write_lines(path, chain((header,), rows))


def write_lines(path: Path, lines: Iterable[str], end: str = "\n") -> None:
    """Write an ASCII file with an end after each line."""
    with path.open("w", encoding="ascii", newline="") as file:
        file.writelines(line + end for line in lines)
