"""From shards to batches: open a build, read it at memory speed, use it with torch and Lightning.

    build = Build.open("out/rafdb")                             numpy only
    arrays = SplitArrays(build, "train")
    dataset = ShardDataset("out/rafdb", "train")                torch, map-style, as torchvision's
    for batch in ShardLoader("out/rafdb", "train"): ...         torch, the fastest way
    trainer.fit(task, datamodule=FerDataModule("out/rafdb"))    Lightning

Names are loaded on first use, so that reading with NumPy loads neither torch nor Lightning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.data.arrays import FIELDS, SplitArrays
    from ferdata.data.batch import Batch
    from ferdata.data.build import Build
    from ferdata.data.datamodule import FerDataModule
    from ferdata.data.dataset import ShardDataset
    from ferdata.data.loader import ShardLoader
    from ferdata.data.loader_options import LoaderOptions, TransformOptions

__all__ = [
    "FIELDS",
    "Batch",
    "Build",
    "FerDataModule",
    "LoaderOptions",
    "ShardDataset",
    "ShardLoader",
    "SplitArrays",
    "TransformOptions",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "FIELDS": "arrays",
        "Batch": "batch",
        "Build": "build",
        "FerDataModule": "datamodule",
        "LoaderOptions": "loader_options",
        "ShardDataset": "dataset",
        "ShardLoader": "loader",
        "SplitArrays": "arrays",
        "TransformOptions": "loader_options",
    },
)
