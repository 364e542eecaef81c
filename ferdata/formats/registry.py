"""The shard formats by name: where their files lie in a build, who writes and who checks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import UnknownNameError
from ferdata.formats import hdf5, huggingface
from ferdata.formats.content import ShardIdentity, ShardSpec, ShardWriter


@dataclass(frozen=True)
class ShardFormat:
    """How a build writes, checks and finds shards of one format.

    Attributes:
        name: The name on the command line.
        folder: Folder of the shards inside the build, posix.
        suffix: File name ending with its dot.
        writer: Opens a shard for writing.
        check: Reopens a written shard and raises `BuildError` where it is not what it should be.
        read_identity: Reads what a shard says of its rows.
    """

    name: str
    folder: str
    suffix: str
    writer: Callable[[Path, ShardSpec], ShardWriter]
    check: Callable[[Path, ShardSpec], None]
    read_identity: Callable[[Path], ShardIdentity]


_FORMATS = (
    ShardFormat("hdf5", "hdf5", ".h5", hdf5.Hdf5ShardWriter, hdf5.check_hdf5, hdf5.read_identity),
    ShardFormat(
        "hf",
        "hf/data",
        ".parquet",
        huggingface.ParquetShardWriter,
        huggingface.check_parquet,
        huggingface.read_identity,
    ),
)


def shard_formats() -> dict[str, ShardFormat]:
    """Return all formats by name."""
    return {entry.name: entry for entry in _FORMATS}


def shard_format(name: str) -> ShardFormat:
    """Return a format by name.

    Raises:
        UnknownNameError: There is no such format.
    """
    known = shard_formats()
    if name not in known:
        raise UnknownNameError("format", name, known)
    return known[name]
