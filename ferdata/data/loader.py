"""Batches straight from the maps: the fastest way from a build to a training loop."""

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
from ferdata.data.order import epoch_order
from ferdata.data.prefetch import prefetch
from ferdata.data.selection import Selection

_Plan = tuple[Selection, dict[str, torch.Tensor]]
"""Which rows a batch is made of, and what of them is already there."""


class ShardLoader:
    """An iterable over the batches of a split; no worker process, one prefetching thread.

    Each iteration is one epoch. The order of an epoch follows from (seed, epoch) alone; epochs
    count up by themselves from one iteration to the next, or are set with `set_epoch`. A shuffled
    batch is a set of rows drawn at random, handed over in ascending order, which lets each shard be
    gathered in one call; without `shuffle` the rows come in the order of the split. Either way
    `index` says which row is which.

    A batch belongs to the consumer for as long as it holds it or any view of it; its memory is used
    again only after that.

    With several ranks, each takes every `world_size`-th row of the same order: disjoint parts of
    equal length. Where the rows don't divide evenly, up to `world_size` − 1 rows come twice, or,
    with `drop_last`, that many are left out; for exact metrics evaluate on one rank, or drop
    repeated `index` values.

    Args:
        build: A build, opened or by its directory.
        split: `"train"`, `"validation"` or `"test"`.
        batch_size: Rows per batch.
        shuffle: Draw an order for each epoch.
        seed: Seed of the orders; must be equal on all ranks.
        rank: This process's number, 0 ≤ rank < world_size.
        world_size: Number of processes that share an epoch.
        drop_last: Leave out a last, smaller batch.
        prefetch: Batches that may lie ready before they are asked for; 0 for no thread.
        fields: What a batch holds, see `ferdata.data.FIELDS`; `index` always comes with it.
        pin_memory: Copy batches into page-locked memory, for training on a CUDA device.
        rows: The rows of the split to visit, int64, each once; None for all.

    Attributes:
        waited: Seconds that the consumer has waited for batches in the latest iteration.

    Raises:
        BuildError: The build or a shard of the split is missing, broken or unfinished.
        UnknownNameError: The build has no such split, or there is no such field.
        OptionError: A number is out of its range.
    """

    def __init__(
        self,
        build: str | Path | Build,
        split: str = "train",
        batch_size: int = 64,
        *,
        shuffle: bool = True,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        drop_last: bool = False,
        prefetch: int = 2,
        fields: Sequence[str] = ("image", "label"),
        pin_memory: bool = False,
        rows: npt.NDArray[np.int64] | None = None,
    ) -> None:
        if batch_size < 1:
            raise OptionError(f"batch_size is {batch_size}; at least 1 is needed")
        if not 0 <= rank < world_size:
            raise OptionError(f"rank {rank} of world_size {world_size}; 0 ≤ rank < world_size")
        if prefetch < 0:
            raise OptionError(f"prefetch is {prefetch}; 0 for no thread, else batches ahead")
        self.dataset = ShardDataset(build, split, fields=fields)
        self.fields = tuple(dict.fromkeys((*self.dataset.fields, "index")))
        self._scalars = [field for field in self.fields if field in SCALAR_FIELDS]
        self._wide = [field for field in self.fields if field not in SCALAR_FIELDS]
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.drop_last = drop_last
        self.prefetch = prefetch
        self.pin_memory = pin_memory
        self.rows = rows
        self.waited = 0.0
        self._next = (0, 0)  # epoch and batch that the next iteration begins with
        self._now = (0, 0)  # epoch, and batches of it that were handed over

    def __len__(self) -> int:
        """Return the number of batches of an epoch, on this rank."""
        share = self._visited / self.world_size
        if self.drop_last:
            return math.floor(share) // self.batch_size
        return math.ceil(math.ceil(share) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Go through an epoch, or what is left of it after `load_state_dict`.

        The epoch begins, and the count goes on to the next one, with the first batch taken.
        """
        self._now = epoch, first = self._next
        self._next = (epoch + 1, 0)
        with closing(prefetch(self._make, self._plan(epoch, first), self.prefetch)) as source:
            self.waited = 0.0
            for position in range(first + 1, len(self) + 1):
                asked = time.perf_counter()
                made = [next(source)]
                self.waited += time.perf_counter() - asked
                self._now = (epoch, position)
                yield made.pop()  # no reference stays here, so that its memory can be used again

    @property
    def _visited(self) -> int:
        """Number of rows that an epoch visits, on all ranks together."""
        return len(self.dataset) if self.rows is None else len(self.rows)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is; ranks that count alike need not."""
        if self._next[0] != epoch:
            self._next = (epoch, 0)
        self._now = self._next

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader stands, so that another one can go on with the next batch."""
        epoch, position = self._now
        if position >= len(self):
            epoch, position = epoch + 1, 0
        return {"epoch": epoch, "position": position, **self._identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another loader stood: the next iteration begins there.

        Raises:
            OptionError: The state is of a loader that visits other rows or in another order.
        """
        for name, value in self._identity().items():
            if state.get(name) != value:
                raise OptionError(
                    f"the loader's state was saved with {name} = {state.get(name)!r}, this loader "
                    f"has {value!r}; resume with the same value or begin a new epoch."
                )
        self._next = self._now = (int(state["epoch"]), int(state["position"]))

    def _identity(self) -> dict[str, Any]:
        """Return all that the order of batches depends on, the rank aside."""
        return {
            "plan_sha256": self.dataset.build.plan_sha256,
            "split": self.dataset.arrays.split,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "world_size": self.world_size,
            "drop_last": self.drop_last,
        }

    def _plan(self, epoch: int, first: int) -> Iterator[_Plan]:
        """Give what each batch of an epoch needs; numbers of one per row are read for many at once.

        Reading a few bytes for each batch anew would cost some percent of the time of a batch.
        """
        order = epoch_order(
            self._visited,
            shuffle=self.shuffle,
            seed=self.seed,
            epoch=epoch,
            rank=self.rank,
            world_size=self.world_size,
            truncate=self.drop_last,
        )
        if self.drop_last:
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

    def _make(self, plan: _Plan) -> Batch:
        selection, scalars = plan
        batch = self.dataset.read(selection, self._wide)
        batch.update(scalars)
        return batch.pin_memory() if self.pin_memory else batch

    @property
    def label_space(self) -> LabelSpace:
        """The names of the classes that `label` counts in."""
        return self.dataset.label_space

    @property
    def groups(self) -> npt.NDArray[np.object_]:
        """The subject of each row of the split, `str`, shape (N,); "" where unknown."""
        return self.dataset.groups

    def class_weights(self) -> torch.Tensor:
        """Return w_c = N / n_c for each class, float32, shape (K,); 0 for a class without rows."""
        return self.dataset.class_weights()
