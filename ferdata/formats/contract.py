"""The interface of a shard format: where its files are, and how to write, check and read them."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ferdata.core.errors import BuildError, LabelError, ParseError
from ferdata.formats.content import RowBatch, ShardIdentity, ShardSpec

if TYPE_CHECKING:
    from ferdata.formats.card_content import CardContent

_COMMON_ERRORS = (
    OSError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    MemoryError,
    SystemError,
    LabelError,
    ParseError,
)
"""What file libraries raise over damaged files, and what reading their content does."""


class ShardWriter(ABC):
    """A context manager that writes a shard's rows, in order, to one complete file.

    It writes to the given path; temporary names and renames are up to the caller. A format
    implements `open`, `write`, `finish` and `close`.

    Args:
        path: The file to write.
        spec: The shard.
    """

    def __init__(self, path: Path, spec: ShardSpec) -> None:
        self.path = path
        self.spec = spec
        self._rows = 0

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            BuildError: The file can't be written.
        """
        self.open()
        return self

    def append(self, batch: RowBatch) -> None:
        """Write the next rows.

        Raises:
            BuildError: The batch does not fit the shard, the shard is full, or the disk is.
        """
        batch.check(self.spec)
        rows = slice(self._rows, self._rows + len(batch))
        if rows.stop > self.spec.rows:
            raise BuildError(f"{self.path}: {rows.stop} rows for a shard of {self.spec.rows}")
        self._rows = rows.stop
        if len(batch):
            self.write(batch, rows)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file, or only close it after an error.

        Raises:
            BuildError: Rows are missing, or the disk is full.
        """
        try:
            if kind is None:
                if self._rows != self.spec.rows:
                    raise BuildError(
                        f"{self.path}: {self._rows} of {self.spec.rows} rows were written; "
                        "the file is incomplete and must not be kept"
                    )
                self.finish()
        finally:
            self.close()

    @abstractmethod
    def open(self) -> None:
        """Create the file."""

    @abstractmethod
    def write(self, batch: RowBatch, rows: slice) -> None:
        """Write a checked batch of at least one row to its rows of the shard."""

    @abstractmethod
    def finish(self) -> None:
        """Write what follows the last row, and close the file."""

    @abstractmethod
    def close(self) -> None:
        """Close the file if it is still open; must not raise."""


@dataclass(frozen=True)
class ShardFormat:
    """A format in which a build can write its shards.

    Attributes:
        name: Its name in `ferdata.formats.registry` and on the command line.
        title: Its name in the summary of a build.
        folder: Folder of the shards inside the build, posix.
        suffix: File name extension of a shard, with its dot.
        writer: Opens a shard for writing.
        check: Reopens a written shard and raises `BuildError` if it doesn't match its spec.
        read_identity: Reads which rows a shard contains.
        version: Raised whenever the same rows are written in other columns or bytes; part of a
            plan's hash, so that no build mixes two versions. Empty: that of its package counts.
        stores_raw: Whether the encoding `raw` is stored as raw pixels, so that the size of a build
            is known before it starts.
        companions: Files that describe a build beside its shards: the path inside the build, and
            the function that writes it.
        example: Python code that opens the shards, with `{out}` for the build directory.
        library: Module that the example needs, if ferdata can do without it.
    """

    name: str
    title: str
    folder: str
    suffix: str
    writer: Callable[[Path, ShardSpec], ShardWriter]
    check: Callable[[Path, ShardSpec], None]
    read_identity: Callable[[Path], ShardIdentity]
    version: str = ""
    stores_raw: bool = False
    companions: Mapping[str, Callable[[Path, CardContent], None]] = field(default_factory=dict)
    example: str = ""
    library: str = ""

    def file(self, out: Path, shard: str) -> Path:
        """Return the path of a shard of a build, by the shard's name without extension."""
        return out / self.folder / (shard + self.suffix)


@contextmanager
def library_errors(
    path: Path, action: str, library: str, errors: tuple[type[Exception], ...]
) -> Iterator[None]:
    """Turn errors of a file library, which can be very long, into one sentence.

    Args:
        path: The file.
        action: What is done with it: `read` or `written`.
        library: Name of its format.
        errors: Further exceptions of the library.

    Raises:
        BuildError: One of these was raised.
    """
    expected: tuple[type[Exception], ...] = (*_COMMON_ERRORS, *errors)
    try:
        yield
    except expected as error:
        number = re.search(r"errno = (\d+)", str(error))
        reason = os.strerror(int(number[1])) if number else getattr(error, "strerror", None)
        raise BuildError(f"{path}: can't be {action} as {library}: {reason or error}") from error
