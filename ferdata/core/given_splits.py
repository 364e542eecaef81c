"""Splits that are there already: the authors', that of a copy, and one from a user's table."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from ferdata.core.delimited import (
    BLANK,
    TableHead,
    open_table,
    open_table_at,
    posix_path,
    sniff_table,
)
from ferdata.core.errors import AnnotationError, OptionError
from ferdata.core.split_contract import SPLITS, FixedRule

_NATIVE = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev", "publictest"),
    "test": ("test", "testing", "privatetest"),
}
_SPLIT_OF_WORD = {word: split for split, words in _NATIVE.items() for word in words}

_NAME_HEADS = ("sample_id", "path", "uri", "file", "filename", "image", "name")
_SPLIT_HEADS = ("split", "fold", "usage", "set", "subset")


def split_of_word(word: str) -> str | None:
    """Return the split that a copy's own word means, `"train"` for `Train_Set`; None if unknown."""
    word = re.sub(r"[ _-]?(set|split|images|data)$", "", word.strip().lower())
    return _SPLIT_OF_WORD.get(word)


@dataclass(frozen=True)
class OfficialRule(FixedRule):
    """Keep the authors' split; `official`."""

    name: ClassVar[str] = "official"
    example: ClassVar[str] = "official"
    needs: ClassVar[tuple[str, ...]] = ("official_split",)
    is_given: ClassVar[bool] = True

    def assign(self, dataset: str, *values: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return the official split of each row."""
        return list(values[0])


@dataclass(frozen=True)
class NativeRule(FixedRule):
    """Keep the split that lies in a copy: its folders, file names, column or lists; `native`.

    It was made by whoever made the copy, and need not be the authors'.
    """

    name: ClassVar[str] = "native"
    example: ClassVar[str] = "native"
    needs: ClassVar[tuple[str, ...]] = ("split_native",)
    is_given: ClassVar[bool] = True

    def assign(self, dataset: str, *values: Sequence[str]) -> list[str]:
        """Return the split that each row's word stands for."""
        (words,) = values
        split_of = {word: split_of_word(word) for word in set(words)}
        if unknown := sorted(word for word, split in split_of.items() if split is None):
            raise OptionError(
                f"split rule {self.name}: {dataset} has splits named {', '.join(unknown[:4])}; "
                f"expected words such as {', '.join(words[0] for words in _NATIVE.values())}. "
                "Name each image's split in a table: --split file:TABLE"
            )
        return [str(split_of[word]) for word in words]


@dataclass(frozen=True)
class FileRule(FixedRule):
    """Take each row's split from a table of paths or sample ids; `file:my.csv`.

    Attributes:
        path: The table. Its directory is not part of the rule's text, which goes into plans.
    """

    path: Path

    name: ClassVar[str] = "file"
    example: ClassVar[str] = "file:my.csv"
    needs: ClassVar[tuple[str, ...]] = ("sample_id", "uri")
    is_given: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """The rule as text, without the directory."""
        return f"{self.name}:{self.path.name}"

    @classmethod
    def parse(cls, arguments: str) -> FileRule:
        """Parse the path of the table; it is read when rows are assigned."""
        if not arguments:
            raise OptionError(f"split rule {cls.name}: name a table, for instance {cls.example}")
        return cls(Path(arguments))

    def assign(self, dataset: str, *values: Sequence[str]) -> list[str]:
        """Return the split that the table gives for each row, by its sample id, key or path."""
        table = read_split_table(self.path)
        found, missing = [], []
        for name, uri in zip(*values, strict=True):
            key = name.partition("/")[2]
            word = next((table[each] for each in (name, uri, key) if each in table), None)
            found.append(word or "")
            if word is None:
                missing.append(uri)
        if missing:
            raise OptionError(
                f"--split {self.text}: {len(missing):,} of {len(found):,} rows of {dataset} are "
                f"not in {self.path}, {missing[0]} for instance; name every image by its path "
                "inside the data folder, or by its sample id."
            )
        return found

    def provenance(self, *values: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return the table's name and hash."""
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        return {"split_table": {"name": self.path.name, "sha256": digest}}


@cache
def read_split_table(path: Path) -> dict[str, str]:
    """Read a table of paths or sample ids and splits, with or without a header.

    Raises:
        OptionError: It can't be read, a word is no split, or an image is in two splits.
    """
    table: dict[str, str] = {}
    for line, name, word in _rows(path):
        split = split_of_word(word)
        if split is None:
            raise OptionError(
                f"--split file: {path} line {line}: {word!r} is no split; "
                f"expected {', '.join(SPLITS)}"
            )
        if table.setdefault(posix_path(name), split) != split:
            raise OptionError(f"--split file: {path} line {line}: {name} is in two splits")
    if not table:
        raise OptionError(f"--split file: {path} holds no rows; expected lines like a/1.jpg,train")
    return table


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line number, name and split word of each row below the header, if there is one."""
    try:
        head = sniff_table(path, (*_NAME_HEADS, *_SPLIT_HEADS), widths=(2, 3))
        name, split = (_named(head, heads) for heads in (_NAME_HEADS, _SPLIT_HEADS))
        table = open_table(path, [name, split]) if name and split else open_table_at(path, (0, 1))
        for line in table.rows():
            if line.problem and line.problem != BLANK:
                raise OptionError(f"--split file: {path} line {line.number}: {line.problem}")
            if not line.problem:
                yield line.number, line.cells[0], line.cells[1]
    except AnnotationError as error:
        raise OptionError(f"--split file: {error}") from None


def _named(head: TableHead, heads: Sequence[str]) -> str:
    """Return which of some columns a table has; empty if none."""
    return next((each for each in heads if each in head.names), "")
