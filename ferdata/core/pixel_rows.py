"""Images as rows of a csv file, pixels written out as numbers: FER2013 and its kin.

A file of 300 MB is mapped, its line ends are found once, and then any row is one slice away: in
constant memory, whatever the size of the file. How its lines are written is found out by
`ferdata.core.delimited`.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ferdata.core.delimited import TextFormat, sniff_table, trimmed
from ferdata.core.errors import AnnotationError, ImageError

PIXELS = "pixels"
"""The column that holds the pixels, as FER2013 calls it."""

_BLOCK = 16 * 2**20  # bytes searched for line ends at a time
_FORGET_ROWS = 4096  # rows of FER2013 read between two calls of madvise: 34 MB


class PixelRows:
    """The rows of one csv file; a row is known by its position, from 0 below the header.

    Args:
        path: The file: a table in any form that `ferdata.core.delimited` knows, one line per row,
            with a header.

    Raises:
        AnnotationError: The file can't be read, is empty, or is no text; says what it is.

    Attributes:
        header: Names of the columns, without blanks and in lower case.
        head: What the first lines say.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head = sniff_table(path, (PIXELS,))
        self.header = self.head.names
        self._text, self._split = self.head.dialect.text, self.head.dialect.split
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise AnnotationError(path, f"can't be read ({error})") from None
        self._starts = _line_starts(self._data, self._text)
        self._below = self.head.line

    def __len__(self) -> int:
        # without the header and the end of the last line
        return max(len(self._starts) - 1 - self._below, 0)

    def line(self, row: int) -> bytes:
        """Return a row as it stands in the file.

        Raises:
            IndexError: There is no such row.
        """
        if not 0 <= row < len(self):
            raise IndexError(row)
        at = row + self._below
        start, end = int(self._starts[at]), int(self._starts[at + 1])
        line = self._data[start:end]
        return line.rstrip(b"\r\n") if self._text.encoding == "utf-8" else line

    def cells(self, row: int) -> dict[str, str] | None:
        """Return a row's cells by column, without blanks and quotes; None for a malformed row."""
        return self._cells(self.line(row))

    def rows(self) -> Iterator[dict[str, str] | None]:
        """Yield the cells of each row, None for a malformed one."""
        for first in range(self._below, self._below + len(self), _FORGET_ROWS):
            starts = self._starts[first : first + _FORGET_ROWS + 1].tolist()
            for start, end in pairwise(starts):
                yield self._cells(self._data[start:end])
            _forget(self._data)

    def _cells(self, line: bytes) -> dict[str, str] | None:
        cells: Sequence[str] = self._split(self._text.decode(line).rstrip("\r\n"))
        if len(cells) != len(self.header):
            cells = trimmed(cells, len(self.header))
        if len(cells) != len(self.header):
            return None
        return {name: cell.strip(' "') for name, cell in zip(self.header, cells, strict=True)}


def read_pixel_row(path: Path, row: int) -> tuple[npt.NDArray[np.uint8], bytes]:
    """Read the image of one row; the file is opened once in each process.

    Args:
        path: The csv file.
        row: Position below the header, from 0.

    Returns:
        The image, uint8 gray, square (H, H), and the row's bytes.

    Raises:
        ImageError: The file can't be read, there is no such row, or it holds no square image.
    """
    try:
        status = path.stat()
        table = _opened(path, status.st_mtime_ns, status.st_size)
    except FileNotFoundError:
        raise ImageError("file is missing") from None
    except OSError as error:
        raise ImageError(f"file can't be read: {error.strerror}") from None
    except AnnotationError as error:
        raise ImageError(f"file can't be read: {error}") from None
    if row >= len(table):
        raise ImageError(f"row is missing: {row}; the file has {len(table)}")
    cells: Mapping[str, str] | None = table.cells(row)
    if cells is None or PIXELS not in cells:
        raise ImageError(f"malformed row: no cell for each of {', '.join(table.header)}")
    return parse_pixels(cells[PIXELS]), table.line(row)


def parse_pixels(text: str) -> npt.NDArray[np.uint8]:
    """Turn numbers between blanks into a square gray image.

    Args:
        text: Numbers from 0 to 255, row by row.

    Returns:
        uint8, shape (H, H).

    Raises:
        ImageError: They are no numbers, out of range, or make no square.
    """
    try:
        values = np.fromstring(text, np.int64, sep=" ")
    except ValueError:
        raise ImageError("malformed pixels: expected numbers between blanks") from None
    side = math.isqrt(values.size)
    if not side or side * side != values.size:
        raise ImageError(f"malformed pixels: {values.size} numbers make no square image")
    if values.min() < 0 or values.max() > 255:
        raise ImageError("malformed pixels: a number outside 0–255")
    return values.astype(np.uint8).reshape(side, side)


@lru_cache(maxsize=8)
def _opened(path: Path, _modified: int, _size: int) -> PixelRows:
    """Open a file, again when it has changed."""
    return PixelRows(path)


def _forget(data: mmap.mmap) -> None:
    """Give back the memory of pages that were read; the file is still mapped."""
    if hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)


def _line_starts(data: mmap.mmap, text: TextFormat) -> npt.NDArray[np.int64]:
    """Return where each line begins and the last one ends, without blank lines at the end."""
    unit = _unit(text)
    size = len(data) - (len(data) - text.start) % unit.itemsize
    ends = tuple(np.array([ord(end)], unit).tobytes() for end in "\r\n")
    while size > text.start and data[size - unit.itemsize : size] in ends:
        size -= unit.itemsize
    found = [np.full(1, text.start, np.int64)]
    for start in range(text.start, size, _BLOCK):
        block = np.frombuffer(data[start : min(start + _BLOCK, size)], unit)
        ended = np.flatnonzero(block == ord(text.newline))
        found.append((ended + 1) * unit.itemsize + start)
        _forget(data)
    return np.concatenate([*found, [size]])


def _unit(text: TextFormat) -> np.dtype[np.uint8 | np.uint16]:
    """Return the type of one unit of an encoding: a byte, or two of them in an order."""
    if text.encoding == "utf-8":
        return np.dtype(np.uint8)
    return np.dtype("<u2" if text.encoding == "utf-16-le" else ">u2")
