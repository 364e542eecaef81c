"""From shards to batches: open a build, read it at memory speed, feed torch and Lightning.

    build = Build.open("out/rafdb")                             numpy only
    arrays = SplitArrays(build, "train")
    dataset = ShardDataset("out/rafdb", "train")                torch, map-style
    for batch in ShardLoader("out/rafdb", "train"): ...         torch, the fastest way
    trainer.fit(task, datamodule=FerDataModule("out/rafdb"))    Lightning

Names are loaded when they are used, so that reading with numpy loads neither torch nor Lightning.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ferdata.core.errors import MissingExtraError

if TYPE_CHECKING:
    from ferdata.data.arrays import FIELDS, SplitArrays
    from ferdata.data.batch import Batch
    from ferdata.data.build import Build
    from ferdata.data.datamodule import FerDataModule
    from ferdata.data.dataset import ShardDataset
    from ferdata.data.loader import ShardLoader

__all__ = [
    "FIELDS",
    "Batch",
    "Build",
    "FerDataModule",
    "ShardDataset",
    "ShardLoader",
    "SplitArrays",
]

_HOME = {
    "FIELDS": "arrays",
    "Batch": "batch",
    "Build": "build",
    "FerDataModule": "datamodule",
    "ShardDataset": "dataset",
    "ShardLoader": "loader",
    "SplitArrays": "arrays",
}
_OPTIONAL = ("torch", "lightning")


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in _OPTIONAL:
            raise
        raise MissingExtraError(f"{__name__}.{name}", "train", error) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
