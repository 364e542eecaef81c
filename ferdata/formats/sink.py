"""A file that libhdf5 can write to on a full disk without taking the process down."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any


class Sink(io.RawIOBase):
    """A binary file, read and write, that keeps its errors for itself.

    libhdf5 can't close a file whose last writes failed: it leaves its object behind and the process
    ends in a segmentation fault (h5py issues 914 and 2160), which would take down a whole pool of
    workers with the one full disk. So libhdf5 gets this file, to which every write succeeds; after
    the first failure nothing more is written, and `check` raises it.

    Args:
        path: The file to create.

    Raises:
        OSError: It can't be created.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error, if there was one.

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
        """Fill a buffer; what lies behind the end of the file reads as zeros."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view):
            count = self._file.readinto(view[done:])
            if not count:
                view[done:] = bytes(len(view) - done)
                break
            done += count
        return len(view)

    def write(self, data: Any) -> int:
        """Write all of the data, or keep the error."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view) and self._error is None:
            try:
                done += self._file.write(view[done:]) or 0
            except OSError as error:
                self._error = error
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        """Set the file's size, or keep the error."""
        size = self.tell() if size is None else size
        try:
            if self._error is None:
                self._file.truncate(size)
        except OSError as error:
            self._error = error
        return size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
