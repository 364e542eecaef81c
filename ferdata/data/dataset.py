"""A split as a map-style torch dataset, in torchvision's manner."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from operator import index as as_index
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.core.labels import LabelSpace, class_weights
from ferdata.data.arrays import FIELDS, SplitArrays
from ferdata.data.batch import Batch
from ferdata.data.build import Build
from ferdata.data.image_form import ImageForm, Layout
from ferdata.data.samples import Sample, SampleForm, Samples, SampleTuple
from ferdata.data.selection import Selection
from ferdata.data.transforms import Transform, image_transform


class ShardDataset(Dataset[Any]):
    """One split of a build as a map-style dataset.

    Tuples, as torchvision's datasets give them, or mappings::

        for images, labels in DataLoader(ShardDataset("out/rafdb", as_tuple=True), batch_size=64):
            ...
        for batch in DataLoader(ShardDataset("out/rafdb"), batch_size=64):
            images, labels = batch["image"], batch["label"]

    A DataLoader with the default collate function gets a whole batch at once, with one copy per
    image: a `Batch`, or with `as_tuple` a list `[images, labels]`, whose row i is the i-th index of
    the sampler. Your own `collate_fn` gets a sequence of samples. Keep `num_workers=0` unless there
    is a `transform`: the main process alone reads faster than workers can transfer batches. Works
    with fork, forkserver and spawn.

    `dataset[3]` is a sample, `dataset[:100]` a dataset of these rows.

    Args:
        build: A build, or its directory.
        split: `"train"`, `"validation"` or `"test"`.
        fields: Fields of a sample, see `ferdata.data.FIELDS`.
        transform: Called with each image: of torchvision, albumentations, kornia or timm, or a
            function. What it is called with is in `ferdata.data.transforms.image_transform`.
        target_transform: Called with each label, an `int`.
        as_tuple: Samples are tuples of the fields' values, `(image, label)`, with the label as an
            `int`; else mappings of field to tensor.
        layout: Layout of images: `"hwc"` as they are stored, `"chw"` as torchvision has them, or
            `"pil"`; by default `"chw"` with `transform` or `as_tuple`, else `"hwc"`.
        dtype: Type of images: `torch.uint8`, or a floating type, whose values are 0–1. Both hold
            for what `transform` gets.

    Raises:
        BuildError: The build or a shard of the split is missing, broken or unfinished.
        UnknownNameError: The build has no such split, or there is no such field or layout.
        OptionError: The arguments contradict each other.
    """

    def __init__(
        self,
        build: str | Path | Build,
        split: str = "train",
        *,
        fields: Sequence[str] = ("image", "label"),
        transform: Transform | None = None,
        target_transform: Callable[[int], Any] | None = None,
        as_tuple: bool = False,
        layout: Layout | None = None,
        dtype: torch.dtype = torch.uint8,
    ) -> None:
        self.fields = _checked(fields)
        self.transform = transform
        self.target_transform = target_transform
        torchvision_like = as_tuple or transform is not None
        image = ImageForm(layout or ("chw" if torchvision_like else "hwc"), dtype)
        called = None if transform is None else image_transform(transform, image)
        self.form = SampleForm(self.fields, image, called, target_transform, as_tuple)
        self.arrays = SplitArrays(build, split)
        self._rows: npt.NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        build, image = self.build, self.form.image
        size = "×".join(map(str, build.image.shape))
        dtype = str(image.dtype).removeprefix("torch.")
        lines = [
            f"Dataset {type(self).__name__}",
            f"Number of datapoints: {len(self)}" + ("" if self._rows is None else " (selected)"),
            f"Root location: {build.root}",
            f"Build: {build.name}, split {self.arrays.split}",
            f"Classes: {len(self.classes)} ({', '.join(self.classes)})",
            f"Images: {size}, given as {image.layout} {dtype}",
            f"Sample: {'tuple' if self.form.as_tuple else 'mapping'} of {', '.join(self.fields)}",
        ]
        transforms = {"Transform": self.transform, "Target transform": self.target_transform}
        lines += [f"{name}: {each!r}" for name, each in transforms.items() if each is not None]
        return "\n".join(lines).replace("\n", "\n    ")

    def __len__(self) -> int:
        return len(self.arrays) if self._rows is None else len(self._rows)

    def __getitem__(self, index: int | slice) -> Any:
        """Read one sample, or return the dataset of a slice of the rows.

        Returns:
            A mapping of field to tensor, without the batch dimension, or to `str`; with `as_tuple`
            a tuple. For a slice a dataset, see `select`.

        Raises:
            IndexError: The index is outside the dataset.
            TypeError: It is neither a number nor a slice.
            BuildError: A shard is broken or lacks a field.
        """
        if isinstance(index, slice):
            return self.select(range(len(self))[index])
        if not hasattr(index, "__index__"):
            kind = type(index).__name__
            raise TypeError(f"index of type {kind}: give a row number or a slice, or use select()")
        return self.form.sample(self._read([as_index(index)]), 0)

    def __getitems__(self, indices: Sequence[int]) -> Sequence[Sample | SampleTuple]:
        """Read the samples of a whole batch at once, in the order of the indices.

        Returns:
            The samples: without transforms as a sequence that makes them on demand, of which the
            default collate function makes a batch without copying; else a list.

        Raises:
            IndexError: An index is outside the dataset.
            BuildError: A shard is broken or lacks a field.
        """
        stored = self._read(indices)
        if self.form.per_sample:
            return [self.form.sample(stored, row) for row in range(len(indices))]
        return Samples(stored, len(indices), self.form)

    def select(self, rows: Sequence[int] | npt.NDArray[np.integer]) -> ShardDataset:
        """Return a dataset of some rows of this one, which reads the same shards.

        Unlike `torch.utils.data.Subset` it still knows `targets`, `groups` and `class_weights`;
        `index` remains the row number in the split.

        Args:
            rows: Row numbers, in the wanted order; negative ones count from the end.

        Raises:
            IndexError: A row number is outside the dataset.
        """
        selected = copy.copy(self)
        selected._rows = self._split_rows(rows)
        return selected

    def read(self, selection: Selection, fields: Sequence[str]) -> Batch:
        """Read rows that `arrays.locator` located, as tensors that share memory with the arrays."""
        batch = Batch()
        for field in fields:
            values = self.arrays.gather_field(field, selection)
            is_array = isinstance(values, np.ndarray)
            batch[field] = torch.from_numpy(values) if is_array else values
        return batch

    def _read(self, indices: Sequence[int]) -> Batch:
        """Read rows of this dataset as they are stored."""
        rows = indices if self._rows is None else self._split_rows(indices)
        return self.read(self.arrays.locator.select(rows), self.fields)

    def _split_rows(self, rows: Sequence[int] | npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Return the row numbers in the split of rows of this dataset."""
        numbers = np.asarray(rows)
        if numbers.size and not (numbers.ndim == 1 and np.issubdtype(numbers.dtype, np.integer)):
            raise IndexError(
                f"rows are {numbers.dtype} of shape {numbers.shape}; expected a list of row "
                "numbers (of a mask: numpy.flatnonzero(mask))"
            )
        numbers = numbers.astype(np.int64)
        outside = numbers[(numbers < -len(self)) | (numbers >= len(self))]
        if outside.size:
            raise IndexError(f"row {outside[0]} is outside a dataset of {len(self)} rows")
        numbers = np.where(numbers < 0, numbers + len(self), numbers)
        return numbers if self._rows is None else self._rows[numbers]

    @property
    def build(self) -> Build:
        """The build that is read."""
        return self.arrays.build

    @property
    def label_space(self) -> LabelSpace:
        """The names of the classes that `label` indexes."""
        return self.build.label_space

    @property
    def classes(self) -> list[str]:
        """The names of the classes, by index."""
        return list(self.label_space.names)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The index of each class, by name."""
        return {name: position for position, name in enumerate(self.label_space.names)}

    @property
    def targets(self) -> list[int]:
        """The class of each row, without `target_transform`; the same as `labels`."""
        targets: list[int] = self.labels.tolist()
        return targets

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The class of each row, int64, shape (N,)."""
        return self._column("label")

    @property
    def groups(self) -> npt.NDArray[np.object_]:
        """The subject of each row, `str`, shape (N,); "" where unknown."""
        return self._column("subject")

    def class_weights(self) -> torch.Tensor:
        """Return w_c = N / n_c for each class, float32, shape (K,); 0 for a class without rows."""
        labels = self.labels
        counts = np.bincount(labels[labels >= 0], minlength=len(self.label_space))
        return torch.from_numpy(class_weights(counts).astype(np.float32))

    def _column(self, field: str) -> npt.NDArray[Any]:
        column = self.arrays.column(field)
        return column if self._rows is None else column[self._rows]


def _checked(fields: Sequence[str]) -> tuple[str, ...]:
    """Return the fields without repetitions."""
    if isinstance(fields, str):
        raise OptionError(f"fields={fields!r} is a string; give a sequence: ({fields!r},)")
    for field in fields:
        if field not in FIELDS:
            raise UnknownNameError("field", field, FIELDS)
    return tuple(dict.fromkeys(fields))
