"""Options of loaders and of the transforms of a data module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ferdata.core.errors import OptionError
from ferdata.data.image_form import Layout
from ferdata.data.transforms import Transform


@dataclass(frozen=True)
class LoaderOptions:
    """How a `ShardLoader` delivers its batches.

    Attributes:
        rank: This process's number, 0 ≤ rank < world_size.
        world_size: Number of processes among which an epoch is divided.
        drop_last: Drop a last, smaller batch.
        prefetch: Maximum number of batches made ahead of the consumer; 0 for no thread.
        pin_memory: Copy batches into page-locked memory, for training on a CUDA device. None: if
            the trainer of a `FerDataModule` runs on CUDA.
        as_tuple: A batch is a list of the fields' values, `[images, labels]`, instead of a mapping.
        layout: Layout of images: `"hwc"` as they are stored, or `"chw"`; None: `"chw"` with
            `as_tuple`, else `"hwc"`.
        dtype: Type of images: `torch.uint8`, or a floating type, whose values are 0–1.

    Raises:
        OptionError: A number is out of range.
    """

    rank: int = 0
    world_size: int = 1
    drop_last: bool = False
    prefetch: int = 2
    pin_memory: bool | None = None
    as_tuple: bool = False
    layout: Layout | None = None
    dtype: torch.dtype = torch.uint8

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world_size:
            raise OptionError(
                f"rank {self.rank} of world_size {self.world_size}; 0 ≤ rank < world_size"
            )
        if self.prefetch < 0:
            raise OptionError(f"prefetch is {self.prefetch}; expected 0 (no thread) or more")


@dataclass(frozen=True)
class TransformOptions:
    """What a `FerDataModule` does to each image and label on the CPU.

    Attributes:
        transform: Called with each image of train, see `ShardDataset`.
        eval_transform: Called with each image of the other splits.
        target_transform: Called with each label of all splits.
        num_workers: Worker processes that call them.

    Raises:
        OptionError: Only one of `transform` and `eval_transform` is given, or nothing for workers
            to do.
    """

    transform: Transform | None = None
    eval_transform: Transform | None = None
    target_transform: Callable[[int], Any] | None = None
    num_workers: int = 0

    def __post_init__(self) -> None:
        if (self.transform is None) != (self.eval_transform is None):
            missing = "transform" if self.transform is None else "eval_transform"
            raise OptionError(
                f"{missing} is missing: train and the other splits need images of one form; give "
                "both, for instance the same without its random steps"
            )
        if self.num_workers and not self.any:
            raise OptionError(
                f"num_workers={self.num_workers} without a transform: the main process alone reads "
                "faster than workers can transfer batches; leave it out"
            )

    @property
    def any(self) -> bool:
        """Whether there is a transform."""
        given = (self.transform, self.eval_transform, self.target_transform)
        return any(each is not None for each in given)
