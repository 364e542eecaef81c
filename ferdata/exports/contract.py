"""The interface of an export format: a function that writes a folder from the rows of a build."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.labels import LabelSpace
from ferdata.data.arrays import SplitArrays
from ferdata.data.build import Build
from ferdata.formats.encoding import encode
from ferdata.formats.names import PNG, STRING_COLUMNS

TEXTS = STRING_COLUMNS
ARRAYS = ("box", "landmarks", "soft_label")
NUMBERS = ("valence", "arousal")
COLUMNS = ("label", "label_name", "split", *TEXTS, *ARRAYS, *NUMBERS)
"""What is known about an image, in the order in which tables have it."""

_BATCH_ROWS = 256
_FIELDS = ("image", "label", *TEXTS, *ARRAYS, *NUMBERS)
_LONGEST_NAME = 80


@dataclass(frozen=True)
class ExportRow:
    """One image of a build.

    Attributes:
        row: Its row in the build's split.
        pixels: uint8, shape (H, W, C).
        values: What is known about it, by the names of `COLUMNS`: `label` is the class index,
            `landmarks` float32 (P, 2) and `box` float32 (4,) in output pixels, where integers are
            pixel centers, `soft_label` float32 (K,); None where unknown.
    """

    row: int
    pixels: npt.NDArray[np.uint8]
    values: dict[str, Any]

    @cached_property
    def png(self) -> bytes:
        """The image as a PNG file."""
        return encode(self.pixels, PNG)

    @property
    def name(self) -> str:
        """A file name without extension, unique in the split: `000017_rafdb-train_00018`.

        Names sort in the order of rows, and differ where upper and lower case are one.
        """
        readable = re.sub(r"[^A-Za-z0-9_-]+", "-", self.values["sample_id"])
        return f"{self.row:06d}_{readable[:_LONGEST_NAME]}"

    def as_json(self, names: Iterable[str] = COLUMNS) -> dict[str, Any]:
        """Return values as JSON can hold them; each number reads back as the same float32."""
        chosen = {name: self.values[name] for name in names}
        return {
            name: shortest(value) if isinstance(value, np.ndarray | np.floating) else value
            for name, value in chosen.items()
        }


@dataclass(frozen=True)
class ExportContent:
    """What is exported of a build.

    Attributes:
        build: The build.
        splits: Its splits that are exported, train first.
        copies: Whether augmented copies are exported.
        shard_bytes: Image bytes per file of formats that put many images into one.
        advance: Called with a number of rows that were read.
    """

    build: Build
    splits: tuple[str, ...]
    copies: bool
    shard_bytes: int
    advance: Callable[[int], object] = field(default=lambda rows: rows)
    _opened: dict[str, SplitArrays] = field(default_factory=dict, repr=False, compare=False)

    @property
    def label_space(self) -> LabelSpace:
        """The classes by index."""
        return self.build.label_space

    def selected(self, split: str) -> npt.NDArray[np.int64]:
        """Return the rows of a split that are exported, int64, shape (n,)."""
        arrays = self._arrays(split)
        if self.copies:
            return np.arange(len(arrays))
        return np.flatnonzero(arrays.column("parent_id") == "")

    def rows(self, split: str) -> Iterator[ExportRow]:
        """Yield the rows of a split in the build's order, in constant memory.

        Raises:
            BuildError: A shard is missing or damaged.
        """
        arrays, selected = self._arrays(split), self.selected(split)
        for start in range(0, len(selected), _BATCH_ROWS):
            numbers = selected[start : start + _BATCH_ROWS]
            batch = arrays.gather(numbers, _FIELDS)
            names = self.label_space.decode(batch["label"].tolist())
            for place, row in enumerate(numbers.tolist()):
                values = {
                    "label": int(batch["label"][place]),
                    "label_name": names[place],
                    "split": split,
                    **{name: batch[name][place] or None for name in TEXTS},
                    **{name: _known(batch[name][place]) for name in (*ARRAYS, *NUMBERS)},
                }
                yield ExportRow(row, batch["image"][place], values)
            self.advance(len(numbers))

    def _arrays(self, split: str) -> SplitArrays:
        if split not in self._opened:
            self._opened[split] = SplitArrays(self.build, split)
        return self._opened[split]


@dataclass(frozen=True)
class ExportFormat:
    """A format in which a build can be exported.

    Attributes:
        name: Its name in `ferdata.exports.registry` and on the command line.
        title: What it is, in a few words.
        write: Writes a complete export into an empty folder.
        holds: The columns that it keeps, of `COLUMNS`.
        readers: Who opens it.
        example: Python code that opens it, with `{out}` for the folder and `{split}` for a split.
    """

    name: str
    title: str
    write: Callable[[Path, ExportContent], None]
    readers: str
    example: str
    holds: tuple[str, ...] = COLUMNS


def shortest(values: npt.NDArray[np.float32] | np.floating[Any]) -> Any:
    """Return float32 numbers as the shortest decimal numbers that read back as the same.

    Args:
        values: Any shape.

    Returns:
        A float, or nested lists of the array's shape; None for NaN.
    """
    import pyarrow as pa  # noqa: PLC0415 - ten times as fast as NumPy's own text

    array = np.asarray(values, np.float32)
    texts = pa.array(array.reshape(-1), from_pandas=True).cast(pa.string()).to_pylist()
    numbers = np.array([None if text is None else float(text) for text in texts], object)
    return numbers.reshape(array.shape).tolist()


def _known(value: Any) -> Any:
    """Return a value of an array; None where it is empty or all of it is NaN."""
    return None if value.size == 0 or np.isnan(value).all() else value
