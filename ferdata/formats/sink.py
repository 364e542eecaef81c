"""A file that libhdf5 can write to on a full disk without taking the process down."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Sink(io.RawIOBase):
    """A binary file, read and write, that remembers its errors instead of raising them.

    libhdf5 can't close a file whose last writes failed: it leaks its object and the process ends in
    a segmentation fault (h5py issues 914 and 2160), so that one full disk would take down a whole
    pool of workers. So libhdf5 gets this file, to which every write succeeds; after the first
    failure nothing more is written, and `check` raises it.

    Args:
        path: The file to create.

    Raises:
        OSError: It can't be created.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None
        # As libhdf5 sees it: it must find the size that it asked for, even on a full disk.
        self._position = 0
        self._size = 0

    def check(self) -> None:
        """Raise the first error, if any.

        Raises:
            OSError: A write failed.
        """
        if self._error is not None:
            raise self._error

    def readable(self) -> bool:
        """Return True: libhdf5 reads back what it wrote."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; what was never written is read as zeros."""
        view = memoryview(buffer).cast("B")
        self._file.seek(self._position)
        done = 0
        while done < len(view):
            count = self._file.readinto(view[done:])
            if not count:
                view[done:] = bytes(len(view) - done)
                break
            done += count
        self._position += len(view)
        return len(view)

    def write(self, data: Any) -> int:
        """Write all of the data, or remember the error."""
        view = memoryview(data).cast("B")
        self._change(lambda: self._write_all(view))
        self._position += len(view)
        self._size = max(self._size, self._position)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def truncate(self, size: int | None = None) -> int:
        """Set the file's size, or remember the error."""
        self._size = self._position if size is None else size
        self._change(lambda: self._file.truncate(self._size))
        return self._size

    def _change(self, change: Callable[[], object]) -> None:
        """Change the file, or remember the error; after an error nothing is changed any more."""
        if self._error is not None:
            return
        try:
            change()
        except OSError as error:
            self._error = error

    def _write_all(self, view: memoryview) -> None:
        self._file.seek(self._position)
        done = 0
        while done < len(view):
            done += self._file.write(view[done:])

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
