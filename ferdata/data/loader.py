"""Batches directly from the memory maps: the fastest way from a build to a training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ferdata.core.errors import OptionError
from ferdata.core.labels import LabelSpace
from ferdata.data.arrays import SCALAR_FIELDS
from ferdata.data.batch import Batch
from ferdata.data.build import Build
from ferdata.data.dataset import ShardDataset
from ferdata.data.loader_options import LoaderOptions
from ferdata.data.order import epoch_order
from ferdata.data.prefetch import prefetch
from ferdata.data.selection import Selection

_Plan = tuple[Selection, dict[str, torch.Tensor]]
"""The rows of a batch, and those of their fields that are already read."""


class ShardLoader:
    """An iterable over the batches of a split, without worker processes, with a prefetch thread.

    Mappings, or tuples::

        for batch in ShardLoader("out/rafdb", "train", batch_size=64, seed=0):
            images, labels = batch["image"], batch["label"]
        for images, labels in ShardLoader("out/rafdb", "train", as_tuple=True):
            ...

    Each iteration is one epoch, whose order depends only on (seed, epoch). The epoch increases by
    one with each iteration, or is set with `set_epoch`. A shuffled batch is a random set of rows in
    ascending order, so that each shard is read in one call; without `shuffle` the rows are in the
    order of the split. In both cases, `index` is the row number in the split.

    The memory of a batch is reused only when neither the batch nor a view of it is referenced.

    With several ranks, each gets every `world_size`-th row of the same order: disjoint parts of
    equal length. If the rows don't divide evenly, up to `world_size` − 1 rows are repeated, or,
    with `drop_last`, dropped; for exact metrics evaluate on one rank, or drop repeated `index`
    values.

    Args:
        build: A build, or its directory.
        split: `"train"`, `"validation"` or `"test"`.
        batch_size: Rows per batch.
        shuffle: Draw a new order for each epoch.
        seed: Seed of the orders; must be equal on all ranks.
        fields: Fields of a batch, see `ferdata.data.FIELDS`; `index` is always in a mapping.
        rows: The rows of the split to visit, int64, each once; None for all.
        **options: Fields of `LoaderOptions`, for instance `drop_last=True`.

    Attributes:
        waited: Seconds that the consumer waited for batches in the latest iteration.

    Raises:
        BuildError: The build or a shard of the split is missing, broken or unfinished.
        UnknownNameError: The build has no such split, or there is no such field.
        OptionError: A number is out of range.
    """

    def __init__(
        self,
        build: str | Path | Build,
        split: str = "train",
        batch_size: int = 64,
        *,
        shuffle: bool = True,
        seed: int = 0,
        fields: Sequence[str] = ("image", "label"),
        rows: npt.NDArray[np.int64] | None = None,
        **options: Any,
    ) -> None:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise OptionError(f"batch_size is {batch_size!r}; expected a number of rows, 1 or more")
        self.options = LoaderOptions(**options)
        form = {name: getattr(self.options, name) for name in ("as_tuple", "layout", "dtype")}
        self.dataset = ShardDataset(build, split, fields=fields, **form)
        if self.dataset.form.per_sample:
            raise OptionError(f"layout {self.options.layout!r} is for single images, not batches")
        self.fields = tuple(dict.fromkeys((*self.dataset.fields, "index")))
        self._scalars = [field for field in self.fields if field in SCALAR_FIELDS]
        self._wide = [field for field in self.fields if field not in SCALAR_FIELDS]
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.rows = rows
        self.waited = 0.0
        self._next = (0, 0)  # epoch and batch with which the next iteration begins
        self._now = (0, 0)  # epoch, and number of its batches delivered

    def __repr__(self) -> str:
        of_them = "" if self.rows is None else f" of {len(self.rows):,} rows"
        order = "shuffled" if self.shuffle else "in order"
        batches = f"batches of {self.batch_size}{of_them}, {order}"
        return f"ShardLoader({self.dataset.arrays.summary}; {batches})"

    def __len__(self) -> int:
        """Return the number of batches of an epoch, on this rank."""
        rows = self._visited / self.options.world_size
        if self.options.drop_last:
            return math.floor(rows) // self.batch_size
        return math.ceil(math.ceil(rows) / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """Iterate over an epoch, or the rest of it after `load_state_dict`.

        The epoch begins, and the next iteration's is set, when the first batch is requested.
        """
        self._now = epoch, first = self._next
        self._next = (epoch + 1, 0)
        with closing(
            prefetch(self._make, self._plan(epoch, first), self.options.prefetch)
        ) as source:
            self.waited = 0.0
            for position in range(first + 1, len(self) + 1):
                requested = time.perf_counter()
                made = [next(source)]
                self.waited += time.perf_counter() - requested
                self._now = (epoch, position)
                yield made.pop()  # no reference is kept here, so that its memory can be reused

    @property
    def _visited(self) -> int:
        """Number of rows that all ranks together visit in an epoch."""
        return len(self.dataset) if self.rows is None else len(self.rows)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration."""
        if self._next[0] != epoch:
            self._next = (epoch, 0)
        self._now = self._next

    def state_dict(self) -> dict[str, Any]:
        """Return the loader's position, so that another loader can resume with the next batch."""
        epoch, position = self._now
        if position >= len(self):
            epoch, position = epoch + 1, 0
        return {"epoch": epoch, "position": position, **self._identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume at another loader's position: the next iteration begins there.

        Raises:
            OptionError: The state is from a loader with other rows or another order.
        """
        for name, value in self._identity().items():
            if state.get(name) != value:
                raise OptionError(
                    f"the loader's state was saved with {name}={state.get(name)!r}, but this "
                    f"loader has {value!r}; resume with the same value or start a new epoch."
                )
        self._next = self._now = (int(state["epoch"]), int(state["position"]))

    def _identity(self) -> dict[str, Any]:
        """Return what the order of batches depends on, except the rank."""
        return {
            "plan_sha256": self.dataset.build.plan_sha256,
            "split": self.dataset.arrays.split,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "world_size": self.options.world_size,
            "drop_last": self.options.drop_last,
        }

    def _plan(self, epoch: int, first: int) -> Iterator[_Plan]:
        """Yield the rows and scalar fields of each batch of an epoch.

        Scalar fields are read for many batches at once: reading a few bytes for each batch would
        take a few percent of its time.
        """
        order = epoch_order(
            self._visited,
            shuffle=self.shuffle,
            seed=self.seed,
            epoch=epoch,
            rank=self.options.rank,
            world_size=self.options.world_size,
            truncate=self.options.drop_last,
        )
        if self.options.drop_last:
            order = order[: len(self) * self.batch_size]
        if self.rows is not None:
            order = self.rows[order]
        arrays = self.dataset.arrays
        blocks = arrays.locator.blocks(order, self.batch_size, first=first, sort=self.shuffle)
        for block in blocks:
            parts = [
                torch.split(
                    torch.from_numpy(arrays.column(field).take(block.index)), self.batch_size
                )
                for field in self._scalars
            ]
            for selection, *values in zip(block.batches, *parts, strict=True):
                yield selection, dict(zip(self._scalars, values, strict=True))

    def _make(self, plan: _Plan) -> Batch | list[Any]:
        selection, scalars = plan
        batch = self.dataset.read(selection, self._wide)
        batch.update(scalars)
        return self.dataset.form.batch(batch, pin_memory=bool(self.options.pin_memory))

    @property
    def label_space(self) -> LabelSpace:
        """The names of the classes that `label` indexes."""
        return self.dataset.label_space

    @property
    def groups(self) -> npt.NDArray[np.object_]:
        """The subject of each row of the split, `str`, shape (N,); "" where unknown."""
        return self.dataset.groups

    def class_weights(self) -> torch.Tensor:
        """Return w_c = N / n_c for each class, float32, shape (K,); 0 for a class without rows."""
        return self.dataset.class_weights()
