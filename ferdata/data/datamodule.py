"""A build as a Lightning data module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812 - the name that Lightning's own documentation uses
import numpy as np
import numpy.typing as npt
import torch

from ferdata.core.draws import generator
from ferdata.core.labels import LabelSpace
from ferdata.data.build import Build
from ferdata.data.dataset import ShardDataset
from ferdata.data.loader import LoaderOptions, ShardLoader


class _LightningLoader(ShardLoader):
    """A loader whose `set_epoch` Lightning finds, to call it before each epoch."""

    batch_sampler = None

    @property
    def sampler(self) -> ShardLoader:
        """The loader itself."""
        return self


class FerDataModule(L.LightningDataModule):  # type: ignore[misc] # Lightning is not type-checked here
    """The loaders of a build's splits for each rank; train is shuffled again in every epoch.

    Lightning sets the epoch of the loaders and saves their position with a checkpoint, so that a
    resumed run, even from the middle of an epoch, gets the same batches as without interruption.

    Args:
        build: A build, or its directory.
        batch_size: Rows per batch and rank.
        seed: Seed of the orders of train.
        fields: Fields of a batch, see `ferdata.data.FIELDS`.
        eval_batch_size: Rows per batch of the other splits; by default `batch_size`.
        predict_split: The split that `trainer.predict` reads.
        subset: Fraction of train that is used in the first `subset_epochs` epochs, drawn once. The
            trainer must reload its dataloaders every epoch.
        subset_epochs: Number of epochs on the subset.
        **options: Fields of `LoaderOptions`. Ranks come from the trainer, `drop_last` applies to
            train only, and memory is pinned by default if the trainer runs on CUDA.

    Raises:
        BuildError: The build is missing, broken or unfinished.
    """

    def __init__(
        self,
        build: str | Path | Build,
        batch_size: int = 64,
        *,
        seed: int = 0,
        fields: Sequence[str] = ("image", "label"),
        eval_batch_size: int | None = None,
        predict_split: str = "test",
        subset: float = 1.0,
        subset_epochs: int = 0,
        **options: Any,
    ) -> None:
        super().__init__()
        self.build = Build.open(build)
        self.batch_size = batch_size
        self.seed = seed
        self.fields = tuple(fields)
        self.eval_batch_size = eval_batch_size or batch_size
        self.predict_split = predict_split
        self.subset = subset
        self.subset_epochs = subset_epochs
        self.options = LoaderOptions(**options)

    @property
    def label_space(self) -> LabelSpace:
        """The names of the classes that `label` indexes."""
        return self.build.label_space

    def class_weights(self, split: str = "train") -> torch.Tensor:
        """Return w_c = N / n_c for each class of a split, float32, shape (K,)."""
        return ShardDataset(self.build, split).class_weights()

    def train_dataloader(self) -> ShardLoader:
        """Return the shuffled loader of train, for the trainer's current epoch."""
        return self._train_loader(self.trainer.current_epoch if self.trainer else 0)

    def epoch_batches(self, epoch: int) -> int:
        """Return the number of train batches of an epoch, counted from 0, on this rank."""
        return len(self._train_loader(epoch))

    def val_dataloader(self) -> ShardLoader | list[ShardLoader]:
        """Return the loader of validation; an empty list if the build has none."""
        return self._eval_loader("validation") if "validation" in self.build.splits else []

    def test_dataloader(self) -> ShardLoader:
        """Return the loader of test."""
        return self._eval_loader("test")

    def predict_dataloader(self) -> ShardLoader:
        """Return the loader of `predict_split`."""
        return self._eval_loader(self.predict_split)

    def _train_loader(self, epoch: int) -> ShardLoader:
        rows = self._subset_rows() if epoch < self.subset_epochs else None
        return self._loader("train", self.batch_size, seed=self.seed, rows=rows)

    def _eval_loader(self, split: str) -> ShardLoader:
        return self._loader(split, self.eval_batch_size, shuffle=False, drop_last=False)

    def _subset_rows(self) -> npt.NDArray[np.int64]:
        """Draw the rows of the subset, ascending."""
        rows = self.build.split("train").rows
        drawn = generator(self.seed, "train", purpose="subset").permutation(rows)
        return np.sort(drawn[: round(rows * self.subset)]).astype(np.int64)

    def _loader(self, split: str, batch_size: int, **options: Any) -> ShardLoader:
        options = asdict(self.options) | options
        if self.trainer:
            options |= {"rank": self.trainer.global_rank, "world_size": self.trainer.world_size}
            if self.options.pin_memory is None:
                options["pin_memory"] = self.trainer.strategy.root_device.type == "cuda"
        return _LightningLoader(self.build, split, batch_size, fields=self.fields, **options)
