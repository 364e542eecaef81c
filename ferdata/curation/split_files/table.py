"""A split as a table: what a file says of each image, whatever the file's kind."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import OptionError
from ferdata.core.schema import SPLITS

PIXEL_BYTES = 6
"""Bytes kept of an image's pixel hash: two of 300,000 different images share them with a
probability of 2·10⁻⁴."""

NEAR_BYTES = 8
"""Bytes kept of an image's perceptual hash, those of the lowest frequencies."""


@dataclass(frozen=True)
class SplitTable:
    """One row for each image; columns that a file lacks are empty.

    Attributes:
        names: Sample ids, or the paths or names by which a file calls its images; empty texts
            where images are counted only.
        splits: `train`, `validation` or `test`; empty where folds say it.
        folds: The fold of each image, from 1; 0 for an image that is in train in every fold.
        labels: Canonical class names.
        pixels: The first `PIXEL_BYTES` of each pixel hash, as uint64; 0 where unknown.
        near: The first `NEAR_BYTES` of each perceptual hash, as uint64; 0 where unknown.
        positions: The images' positions in the order of a dataset's list, where a file has no
            names.
    """

    names: Sequence[str] = ()
    splits: Sequence[str] = ()
    folds: Sequence[int] = ()
    labels: Sequence[str] = ()
    pixels: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    near: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    positions: Sequence[int] = ()

    def __len__(self) -> int:
        return max(len(self.names), len(self.positions))

    def take(self, positions: Sequence[int]) -> SplitTable:
        """Return some entries."""

        def chosen(values: Sequence[Any]) -> list[Any]:
            return [values[each] for each in positions] if len(values) else []

        pixels, near = (each[positions] if each.size else each for each in (self.pixels, self.near))
        return SplitTable(
            chosen(self.names), chosen(self.splits), chosen(self.folds), chosen(self.labels),
            pixels, near, chosen(self.positions),
        )  # fmt: skip

    def assignment(self, fold: int | None, where: str) -> list[str]:
        """Return the split of each image.

        Args:
            fold: The fold to test on; None for 1, or where there are no folds.
            where: The file, for messages.

        Raises:
            OptionError: There are no folds, or no such fold.
        """
        if not self.folds:
            if fold is not None:
                raise OptionError(f"{where} has no folds; leave out @{fold}")
            return list(self.splits)
        number = max(self.folds)
        wanted = 1 if fold is None else fold
        if wanted > number:
            raise OptionError(f"{where} has {number} folds; got @{wanted}")
        return ["test" if each == wanted else "train" for each in self.folds]

    @property
    def digest(self) -> str:
        """The split's name, `split:sha256:…`, see `split_digest`."""
        return split_digest(self.names, self.splits, self.labels, self.folds)

    def counts(self) -> dict[str, int]:
        """Count the images by split, or by fold."""
        if self.folds:
            return {f"fold {fold}": count for fold, count in sorted(Counter(self.folds).items())}
        found = Counter(self.splits)
        return {split: found[split] for split in SPLITS if found[split]}


def split_digest(
    names: Sequence[str], splits: Sequence[str], labels: Sequence[str], folds: Sequence[int] = ()
) -> str:
    """Return the name of a split: a hash of who is where with what label, in any order.

    Args:
        names: Sample ids.
        splits: The split of each; empty where folds say it.
        labels: The label of each.
        folds: The fold of each, if there are folds.

    Returns:
        `split:sha256:` and 64 hexadecimal characters.
    """
    numbers = folds or [0] * len(names)
    parts = splits or [""] * len(names)
    lines = sorted(
        f"{name}\0{part}\0{fold}\0{label}\n"
        for name, part, fold, label in zip(names, parts, numbers, labels, strict=True)
    )
    return f"split:sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"
