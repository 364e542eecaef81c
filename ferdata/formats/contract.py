"""The contract of a shard format: where its files are, and how to write, check and read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ferdata.core.errors import BuildError
from ferdata.formats.content import RowBatch, ShardIdentity, ShardSpec

if TYPE_CHECKING:
    from ferdata.formats.card_content import CardContent


class ShardWriter(Protocol):
    """A context manager that takes a shard's rows in order and writes one complete file.

    It writes to the path that it is given; temporary names and renames are up to the caller. If
    the block ends without an error before all rows were written, it raises `BuildError`.
    """

    def __init__(self, path: Path, spec: ShardSpec) -> None: ...

    def __enter__(self) -> Self:
        """Open the file."""
        ...

    def append(self, batch: RowBatch) -> None:
        """Write the next rows."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the file, or close it as it is after an error."""
        ...


@dataclass(frozen=True)
class ShardFormat:
    """A format in which a build can write its shards.

    Attributes:
        name: Its name in `ferdata.formats.registry` and on the command line.
        title: Its name in the summary of a build.
        folder: Folder of the shards inside the build, posix.
        suffix: File name extension of a shard, with its dot.
        writer: Opens a shard for writing.
        check: Reopens a written shard and raises `BuildError` if it is not what its spec says.
        read_identity: Reads which rows a shard holds.
        stores_raw: Whether the encoding `raw` is stored as raw pixels, so that the size of a build
            is known before it starts.
        companions: Files that describe a build beside its shards: the path inside the build, and
            the function that writes it.
        example: Python code that opens the shards, with `{out}` for the build directory.
    """

    name: str
    title: str
    folder: str
    suffix: str
    writer: Callable[[Path, ShardSpec], ShardWriter]
    check: Callable[[Path, ShardSpec], None]
    read_identity: Callable[[Path], ShardIdentity]
    stores_raw: bool = False
    companions: Mapping[str, Callable[[Path, CardContent], None]] = field(default_factory=dict)
    example: str = ""

    def file(self, out: Path, shard: str) -> Path:
        """Return the path of a shard of a build, by the shard's name without extension."""
        return out / self.folder / (shard + self.suffix)


class RowCounter:
    """Counts the rows of a shard as they come, for writers.

    Args:
        path: The file, for messages.
        spec: The shard.
    """

    def __init__(self, path: Path, spec: ShardSpec) -> None:
        self._path = path
        self._spec = spec
        self.rows = 0

    def take(self, batch: RowBatch) -> slice:
        """Check a batch and return the rows of the shard that it fills.

        Raises:
            BuildError: The batch does not fit the shard, or the shard is full.
        """
        batch.check(self._spec)
        start, stop = self.rows, self.rows + len(batch)
        if stop > self._spec.rows:
            raise BuildError(f"{self._path}: {stop} rows for a shard of {self._spec.rows}")
        self.rows = stop
        return slice(start, stop)

    def require_full(self) -> None:
        """Check that all rows were written.

        Raises:
            BuildError: Rows are missing.
        """
        if self.rows != self._spec.rows:
            raise BuildError(
                f"{self._path}: {self.rows} of {self._spec.rows} rows were written; "
                "the file is incomplete and must not be kept"
            )
