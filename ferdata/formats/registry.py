"""The shard formats by name.

To add one, write a module like `hdf5` that ends with a `ShardFormat`, and list it here; a package
of its own lists it as the entry point `format.NAME` instead (see `ferdata.core.registry`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.registry import Registry

if TYPE_CHECKING:
    from ferdata.formats.contract import ShardFormat

FORMATS: Registry[ShardFormat] = Registry(
    "format",
    {
        "hdf5": "ferdata.formats.hdf5:HDF5",
        "hf": "ferdata.formats.huggingface:HUGGING_FACE",
    },
)
