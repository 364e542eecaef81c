"""A split as a map-style torch dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.core.labels import LabelSpace
from ferdata.data.arrays import FIELDS, SplitArrays
from ferdata.data.batch import Batch
from ferdata.data.build import Build
from ferdata.data.selection import Selection


class ShardDataset(Dataset[dict[str, Any]]):
    """One split of a build as a map-style dataset; images are uint8, shape (H, W, C).

    A DataLoader with the default collate function fetches a whole batch at once, with one copy per
    image, as a `Batch` whose row i is the i-th index of the sampler:

        DataLoader(ShardDataset("out/rafdb", "train"), batch_size=64, shuffle=True)

    Keep `num_workers=0` unless you compute something per image on the CPU: the main process alone
    reads faster than workers can transfer batches. Your own `collate_fn` gets a list of one
    `Batch`. Works with fork, forkserver and spawn.

    Args:
        build: A build, or its directory.
        split: `"train"`, `"validation"` or `"test"`.
        fields: Fields of a sample, see `ferdata.data.FIELDS`.

    Raises:
        BuildError: The build or a shard of the split is missing, broken or unfinished.
        UnknownNameError: The build has no such split, or there is no such field.
    """

    def __init__(
        self,
        build: str | Path | Build,
        split: str = "train",
        *,
        fields: Sequence[str] = ("image", "label"),
    ) -> None:
        self.fields = _checked(fields)
        self.arrays = SplitArrays(build, split)

    def __repr__(self) -> str:
        return f"ShardDataset({self.arrays.summary})"

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Read one sample: tensors without the batch dimension, strings as `str`.

        Raises:
            IndexError: The index is outside the split.
            BuildError: A shard is broken or lacks a field.
        """
        return {field: values[0] for field, values in self._read([index]).items()}

    def __getitems__(self, indices: Sequence[int]) -> list[Batch]:
        """Read a whole batch at once, with its rows in the order of the indices.

        Returns:
            A list of one `Batch`, which the default collate function returns without copying.

        Raises:
            IndexError: An index is outside the split.
            BuildError: A shard is broken or lacks a field.
        """
        return [self._read(indices)]

    def read(self, selection: Selection, fields: Sequence[str]) -> Batch:
        """Read rows that `arrays.locator` located, as tensors that share memory with the arrays."""
        batch = Batch()
        for field in fields:
            values = self.arrays.gather_field(field, selection)
            is_array = isinstance(values, np.ndarray)
            batch[field] = torch.from_numpy(values) if is_array else values
        return batch

    def _read(self, indices: Sequence[int]) -> Batch:
        return self.read(self.arrays.locator.select(indices), self.fields)

    @property
    def build(self) -> Build:
        """The build that is read."""
        return self.arrays.build

    @property
    def label_space(self) -> LabelSpace:
        """The names of the classes that `label` indexes."""
        return self.build.label_space

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The class of each row, int64, shape (N,)."""
        return self.arrays.column("label")

    @property
    def groups(self) -> npt.NDArray[np.object_]:
        """The subject of each row, `str`, shape (N,); "" where unknown."""
        return self.arrays.column("subject")

    def class_weights(self) -> torch.Tensor:
        """Return w_c = N / n_c for each class, float32, shape (K,); 0 for a class without rows."""
        return torch.from_numpy(self.arrays.class_weights())


def _checked(fields: Sequence[str]) -> tuple[str, ...]:
    """Return the fields without repetitions."""
    if isinstance(fields, str):
        raise OptionError(f"fields={fields!r} is a string; give a sequence: ({fields!r},)")
    for field in fields:
        if field not in FIELDS:
            raise UnknownNameError("field", field, FIELDS)
    return tuple(dict.fromkeys(fields))
