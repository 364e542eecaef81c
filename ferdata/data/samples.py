"""The samples of a batch, which the default collate function turns into a batch without work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data._utils.collate import collate, default_collate_fn_map

from ferdata.core.errors import OptionError
from ferdata.data.batch import Batch
from ferdata.data.image_form import ImageForm


class Sample(dict[str, Any]):
    """One sample: field name to tensor, or to a string."""


class SampleTuple(tuple[Any, ...]):
    """One sample: the values of its fields; the label is an `int`."""

    __slots__ = ()


@dataclass(frozen=True)
class SampleForm:
    """The form of samples, and of batches of them.

    Attributes:
        fields: The fields, in order.
        image: The form of images.
        transform: Called with each stored image, see `ferdata.data.transforms`.
        target_transform: Called with each label, an `int`.
        as_tuple: Tuples instead of mappings.

    Raises:
        OptionError: There is a transform but not its field.
    """

    fields: tuple[str, ...]
    image: ImageForm
    transform: Callable[[torch.Tensor], Any] | None = None
    target_transform: Callable[[int], Any] | None = None
    as_tuple: bool = False

    def __post_init__(self) -> None:
        given = {"image": self.transform, "label": self.target_transform}
        for field, transform in given.items():
            if transform is not None and field not in self.fields:
                raise OptionError(f"there is a transform of {field!r}, but fields={self.fields}")

    @property
    def per_sample(self) -> bool:
        """Whether samples must be made one by one, before they become a batch."""
        transforms = (self.transform, self.target_transform)
        return any(each is not None for each in transforms) or self.image.layout == "pil"

    def sample(self, stored: Batch, row: int) -> Sample | SampleTuple:
        """Return one row of a batch as it is stored."""
        values = {field: stored[field][row] for field in self.fields}
        if "image" in values:
            values["image"] = (self.transform or self.image.image)(values["image"])
        if "label" in values:
            if self.target_transform is not None:
                values["label"] = self.target_transform(int(values["label"]))
            elif self.as_tuple:
                values["label"] = int(values["label"])
        return SampleTuple(values.values()) if self.as_tuple else Sample(values)

    def batch(self, stored: Batch, *, pin_memory: bool = False) -> Batch | list[Any]:
        """Return a batch as it is stored in this form, without transforms."""
        given = Batch(stored)
        if "image" in given:
            given["image"] = self.image.tensor(given["image"])
        if pin_memory:
            given = given.pin_memory()
        return [given[field] for field in self.fields] if self.as_tuple else given


class Samples(Sequence[Sample | SampleTuple]):
    """The samples of a batch, each made when somebody asks for it.

    Args:
        stored: The batch as it is stored.
        size: Number of samples.
        form: Their form, without transforms.
    """

    def __init__(self, stored: Batch, size: int, form: SampleForm) -> None:
        self._stored = stored
        self._form = form
        self._rows = range(size)
        self._made: dict[int, Sample | SampleTuple] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        """Return a sample, the same one each time; of a slice, a list."""
        rows = self._rows[index]
        if isinstance(rows, range):
            return [self._sample(row) for row in rows]
        return self._sample(rows)

    def __iter__(self) -> Iterator[Sample | SampleTuple]:
        return map(self._sample, self._rows)

    def _sample(self, row: int) -> Sample | SampleTuple:
        if row not in self._made:
            self._made[row] = self._form.sample(self._stored, row)
        return self._made[row]

    def whole(self) -> Batch | list[Any] | None:
        """Return the batch; None if samples were made of it, which may have been changed since.

        The default collate function looks at the first sample to learn its type.
        """
        untouched = len(self) > 1 and self._made.keys() <= {0}
        return self._form.batch(self._stored) if untouched else None


def collate_samples(samples: Sequence[Any], *, collate_fn_map: Any = None) -> Batch | list[Any]:
    """Return samples as a batch: a `Batch` of mappings, a list of tuples' values."""
    whole = samples.whole() if isinstance(samples, Samples) else None
    if whole is not None:
        return whole
    if isinstance(samples[0], SampleTuple):
        columns = zip(*samples, strict=True)
        return [collate(list(values), collate_fn_map=collate_fn_map) for values in columns]
    return Batch(
        (field, collate([each[field] for each in samples], collate_fn_map=collate_fn_map))
        for field in samples[0]
    )


# The documented way to extend `default_collate` (torch.utils.data.default_collate, option 2).
default_collate_fn_map[Sample] = collate_samples
default_collate_fn_map[SampleTuple] = collate_samples
