"""A build as a Lightning data module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, DistributedSampler

from ferdata.core.draws import generator
from ferdata.core.labels import LabelSpace
from ferdata.data.build import Build
from ferdata.data.dataset import ShardDataset
from ferdata.data.lightning_base import data_module_bases
from ferdata.data.loader import ShardLoader
from ferdata.data.loader_options import LoaderOptions, TransformOptions
from ferdata.data.transforms import Transform

Loader = ShardLoader | DataLoader[Any]


class _LightningLoader(ShardLoader):
    """A loader whose `set_epoch` Lightning finds, to call it before each epoch."""

    batch_sampler = None

    @property
    def sampler(self) -> ShardLoader:
        """The loader itself."""
        return self


class FerDataModule(*data_module_bases()):  # type: ignore[misc] # Lightning is not type-checked here
    """The loaders of a build's splits for each rank; train is shuffled again in every epoch.

        L.Trainer().fit(model, datamodule=FerDataModule("out/rafdb", as_tuple=True))

    The trainer may be of `lightning` or of `pytorch_lightning`. It sets the epoch of the loaders
    and saves their position with a checkpoint, so that a resumed run, even from the middle of an
    epoch, gets the same batches as without interruption. With transforms, batches are made by
    torch's `DataLoader`, in an order that depends on seed and epoch only, and a run is resumed at
    the beginning of an epoch.

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
        **options: Fields of `LoaderOptions`, such as `as_tuple=True`, and of `TransformOptions`.
            Ranks come from the trainer, `drop_last` applies to train only, and memory is pinned by
            default if the trainer runs on CUDA. With transforms, images are of the layout `"chw"`
            by default.

    Raises:
        OptionError: The options contradict each other.
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
        names = [field.name for field in dataclass_fields(TransformOptions)]
        self.transforms = TransformOptions(**{n: options.pop(n) for n in names if n in options})
        if self.transforms.transform is not None and options.get("layout") is None:
            options["layout"] = "chw"
        self.options = LoaderOptions(**options)

    @property
    def label_space(self) -> LabelSpace:
        """The names of the classes that `label` indexes."""
        return self.build.label_space

    def class_weights(self, split: str = "train") -> torch.Tensor:
        """Return w_c = N / n_c for each class of a split, float32, shape (K,)."""
        return ShardDataset(self.build, split).class_weights()

    def train_dataloader(self) -> Loader:
        """Return the shuffled loader of train, for the trainer's current epoch."""
        return self._train_loader(self.trainer.current_epoch if self.trainer else 0)

    def epoch_batches(self, epoch: int) -> int:
        """Return the number of train batches of an epoch, counted from 0, on this rank."""
        return len(self._train_loader(epoch))

    def val_dataloader(self) -> Loader | list[Loader]:
        """Return the loader of validation; an empty list if the build has none."""
        return self._eval_loader("validation") if "validation" in self.build.splits else []

    def test_dataloader(self) -> Loader:
        """Return the loader of test."""
        return self._eval_loader("test")

    def predict_dataloader(self) -> Loader:
        """Return the loader of `predict_split`."""
        return self._eval_loader(self.predict_split)

    def _train_loader(self, epoch: int) -> Loader:
        rows = self._subset_rows() if epoch < self.subset_epochs else None
        if self.transforms.any:
            dataset = self._dataset("train", self.transforms.transform)
            return self._torch_loader(
                dataset if rows is None else dataset.select(rows),
                self.batch_size,
                shuffle=True,
                drop_last=self.options.drop_last,
            )
        return self._loader("train", self.batch_size, seed=self.seed, rows=rows)

    def _eval_loader(self, split: str) -> Loader:
        if self.transforms.any:
            dataset = self._dataset(split, self.transforms.eval_transform)
            return self._torch_loader(dataset, self.eval_batch_size)
        return self._loader(split, self.eval_batch_size, shuffle=False, drop_last=False)

    def _subset_rows(self) -> npt.NDArray[np.int64]:
        """Draw the rows of the subset, ascending."""
        rows = self.build.split("train").rows
        drawn = generator(self.seed, "train", purpose="subset").permutation(rows)
        return np.sort(drawn[: round(rows * self.subset)]).astype(np.int64)

    def _place(self) -> dict[str, Any]:
        """Return the options that come from the trainer, if there is one."""
        if not self.trainer:
            return {}
        place = {"rank": self.trainer.global_rank, "world_size": self.trainer.world_size}
        if self.options.pin_memory is None:
            place["pin_memory"] = self.trainer.strategy.root_device.type == "cuda"
        return place

    def _loader(self, split: str, batch_size: int, **options: Any) -> ShardLoader:
        options = asdict(self.options) | options | self._place()
        return _LightningLoader(self.build, split, batch_size, fields=self.fields, **options)

    def _dataset(self, split: str, transform: Transform | None) -> ShardDataset:
        return ShardDataset(
            self.build,
            split,
            fields=self.fields,
            transform=transform,
            target_transform=self.transforms.target_transform,
            as_tuple=self.options.as_tuple,
            layout=self.options.layout,
            dtype=self.options.dtype,
        )

    def _torch_loader(
        self,
        dataset: ShardDataset,
        batch_size: int,
        *,
        shuffle: bool = False,
        drop_last: bool = False,
    ) -> DataLoader[Any]:
        """Return a loader that calls transforms; Lightning sets the epoch of its sampler."""
        options = asdict(self.options) | self._place()
        sampler: DistributedSampler[Any] = DistributedSampler(
            dataset,
            num_replicas=options["world_size"],
            rank=options["rank"],
            shuffle=shuffle,
            seed=self.seed,
            drop_last=drop_last,
        )
        return DataLoader(
            dataset,
            batch_size,
            sampler=sampler,
            drop_last=drop_last,
            num_workers=self.transforms.num_workers,
            persistent_workers=self.transforms.num_workers > 0,
            pin_memory=bool(options["pin_memory"]),
        )
