"""The lines of a text file, one at a time in constant memory, or all of a small one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ferdata.core.delimited.encoding import HEAD, TextFormat, read_head, text_format
from ferdata.core.errors import AnnotationError

LONGEST = 4 * 2**20
"""Characters of the longest line that is read whole; an image of 1024×1024 numbers fits."""


class TextLines:
    """The lines of a file; each iteration reads it from the start.

    Attributes:
        path: The file.
        format: Encoding and line ends.
        foreign: Lines of a UTF-8 file that are not UTF-8 and were read as Windows-1252; counted
            by the last iteration.
    """

    def __init__(self, path: Path, text: TextFormat) -> None:
        self.path, self.format, self.foreign = path, text, 0

    def __iter__(self) -> Iterator[str]:
        """Yield each line without its end; an overlong one cut to `LONGEST` characters."""
        self.foreign = 0
        try:
            with self.path.open("rb") as file:
                file.seek(self.format.start)
                if self.format == TextFormat("utf-8", self.format.start, "\n"):
                    yield from self._fast(file)
                else:
                    yield from self._any(file)
        except OSError as error:
            raise AnnotationError(self.path, f"can't be read ({error.strerror})") from None

    def _fast(self, file: BinaryIO) -> Iterator[str]:
        for raw in iter(partial(file.readline, LONGEST), b""):
            if len(raw) == LONGEST and raw[-1] != 10:
                while (rest := file.readline(LONGEST)) and rest[-1] != 10:
                    pass
            try:
                yield raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                self.foreign += 1
                yield raw.decode("cp1252", "replace").rstrip("\r\n")

    def _any(self, file: BinaryIO) -> Iterator[str]:
        encoding, end = self.format.encoding, self.format.newline
        errors = "surrogateescape" if encoding == "utf-8" else "replace"
        with io.TextIOWrapper(file, encoding, errors, newline=end) as text:
            for line in iter(partial(text.readline, LONGEST), ""):
                if len(line) == LONGEST and line[-1] != end:
                    while (rest := text.readline(LONGEST)) and rest[-1] != end:
                        pass
                yield self._without_surrogates(line.rstrip("\r\n"))

    def _without_surrogates(self, line: str) -> str:
        """Read as Windows-1252 what was not UTF-8."""
        if line.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in line):
            return line
        self.foreign += 1
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def open_lines(path: Path) -> TextLines:
    """Open a text file.

    Raises:
        AnnotationError: It can't be read, is empty, or is no text; says what it is.
    """
    return TextLines(path, text_format(path, read_head(path)))


def read_lines(path: Path) -> list[str]:
    """Return all lines of a small text file, without their ends.

    Only LF, CR LF or CR end a line, not the form feeds at which `str.splitlines` also splits.

    Raises:
        AnnotationError: As `open_lines`.
    """
    return list(open_lines(path))


def read_words(path: Path) -> list[str]:
    """Return the words of a small text file, separated by any blanks; none of an empty file.

    Raises:
        AnnotationError: It can't be read or is no text.
    """
    head = read_head(path)
    if head.isascii() and b"\x00" not in head and len(head) < HEAD:
        return head.decode("ascii").split()  # a set has tens of thousands of these
    return [word for line in open_lines(path) for word in line.split()]


def head_lines(text: TextFormat, head: bytes) -> list[str]:
    """Return the lines at the start of a file that are there whole, or the first one if none is."""
    size = len(head) - (len(head) - text.start) % (1 if text.encoding == "utf-8" else 2)
    raw = head[text.start : size]
    if len(head) == HEAD and text.encoding == "utf-8":
        raw = raw[: len(raw) - _cut_character(raw)]
    lines = [line.rstrip("\r\n") for line in text.decode(raw).split(text.newline)]
    return lines[:-1] if len(lines) > 1 and (len(head) == HEAD or not lines[-1]) else lines


def _cut_character(raw: bytes) -> int:
    """Return how many bytes at the end belong to a UTF-8 character that was cut."""
    for back in range(1, min(4, len(raw)) + 1):
        if raw[-back] >= 0xC0:
            return back
        if raw[-back] < 0x80:
            return 0
    return 0
