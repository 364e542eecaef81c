"""Splits that are there already: the authors', that of a copy, and one from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ferdata.core.errors import OptionError
from ferdata.core.split_contract import FixedRule, SplitRule

_NATIVE = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev", "publictest"),
    "test": ("test", "testing", "privatetest"),
}
_SPLIT_OF_WORD = {word: split for split, words in _NATIVE.items() for word in words}


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
class FileRule(SplitRule):
    """Take the split from a file; `file:my.csv`.

    A published split (`ferdata split export`), a table of paths or sample ids, lists or index
    arrays; `ferdata.curation.split_files` reads it and replaces the rule by a `MatchedRule`.

    Attributes:
        path: The file or folder. Its directory is not part of the rule's text, which goes into
            plans.
        fold: The fold to test on, where the file has folds; 1 by default.
    """

    path: Path
    fold: int | None = None

    name: ClassVar[str] = "file"
    example: ClassVar[str] = "file:my.csv"

    @property
    def text(self) -> str:
        """The rule as text, without the directory."""
        fold = "" if self.fold is None else f"@{self.fold}"
        return f"{self.name}:{self.path.name}{fold}"

    @classmethod
    def parse(cls, arguments: str) -> FileRule:
        """Parse `PATH` or `PATH@FOLD`; the file is read when rows are assigned."""
        match = re.fullmatch(r"(?P<path>.+?)(?:@(?P<fold>[1-9]\d{0,3}))?", arguments)
        if match is None:
            raise OptionError(f"split rule {cls.name}: name a file, for instance {cls.example}")
        fold = int(match["fold"]) if match["fold"] else None
        return cls(Path(match["path"]).expanduser(), fold)


@dataclass(frozen=True)
class PredefinedRule(FileRule):
    """The fold of each row from an array, as scikit-learn's `PredefinedSplit` takes it."""

    name: ClassVar[str] = "predefined"
    example: ClassVar[str] = "predefined:folds.npy"


@dataclass(frozen=True)
class MatchedRule(FixedRule):
    """The split of each row as a file gives it, see `FileRule`.

    Attributes:
        rule: The file's rule as text.
        splits: Split by sample id.
        said: What to record of the file.
    """

    rule: str
    splits: Mapping[str, str] = field(compare=False, repr=False)
    said: Mapping[str, Any] = field(compare=False, repr=False)

    name: ClassVar[str] = "file"
    example: ClassVar[str] = "file:my.csv"
    needs: ClassVar[tuple[str, ...]] = ("sample_id",)
    is_given: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """The file's rule as text."""
        return self.rule

    def assign(self, dataset: str, *values: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return the split of each row."""
        (names,) = values
        return [self.splits[name] for name in names]

    def provenance(self, *values: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002
        """Return what was found in the file, under `"split_file"`."""
        return {"split_file": dict(self.said)}
