"""What a file is: text, in which encoding and with which line ends, or something else by name."""

from __future__ import annotations

import codecs
import stat
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import AnnotationError

HEAD = 65_536
"""Bytes at the start of a file by which it is judged."""

_EXCEL = "an Excel workbook; open it and save the sheet as CSV (UTF-8)"
_UTF_32 = "text in UTF-32; save it as UTF-8"
_ARCHIVE = "extract it and give the file inside"

_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe\x00\x00", _UTF_32),
    (b"\x00\x00\xfe\xff", _UTF_32),
    (b"PK\x03\x04", f"a zip archive; {_ARCHIVE}"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _EXCEL),
    (b"\x1f\x8b", f"a gzip archive; {_ARCHIVE}"),
    (b"BZh", f"a bzip2 archive; {_ARCHIVE}"),
    (b"\xfd7zXZ\x00", f"an xz archive; {_ARCHIVE}"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive; {_ARCHIVE}"),
    (b"Rar!\x1a\x07", f"a rar archive; {_ARCHIVE}"),
    (b"PAR1", "a Parquet file; save its columns as CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file; save its labels as CSV"),
    (b"\x93NUMPY", "a numpy array; save it as CSV"),
    (b"SQLite format 3\x00", "an SQLite database; save the table as CSV"),
    (b"%PDF-", "a PDF; the table must be a text file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image, not a table"),
    (b"\xff\xd8\xff", "a JPEG image, not a table"),
    (b"{\\rtf", "an RTF document; save it as plain text"),
    (
        b"version https://git-lfs.github.com/",
        "a Git LFS pointer; run `git lfs pull`",
    ),
)
"""First bytes of what is taken for a table by its name, and what to do with it."""

_WEB_PAGE = "a web page, as a download without a login gives; download the file again"
_BINARY = "binary data, not a table of text"
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\x0b\x0c\x1a")) + b"\x7f"

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class TextFormat:
    r"""How the characters and lines of a text file are stored.

    Attributes:
        encoding: `utf-8`, `utf-16-le` or `utf-16-be`. In UTF-8, a line that is not is read as
            Windows-1252, which is what older programs in the West write.
        start: Bytes of the byte order mark.
        newline: `"\n"`, also where lines end in CR LF, or `"\r"`.
    """

    encoding: str
    start: int
    newline: str

    def decode(self, data: bytes) -> str:
        """Turn bytes into characters; never fails."""
        if self.encoding != "utf-8":
            return data.decode(self.encoding, "replace")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("cp1252", "replace")

    def describe(self) -> str:
        """Return the name of the encoding for a message."""
        return self.encoding.partition("-le")[0].partition("-be")[0].upper()


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises:
        AnnotationError: It can't be read, or is a device or pipe.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise AnnotationError(path, "is not a regular file; a table was expected")
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise AnnotationError(path, f"can't be read ({error.strerror})") from None


def text_format(path: Path, head: bytes) -> TextFormat:
    """Tell encoding and line ends of a text file by its first bytes.

    Raises:
        AnnotationError: It is empty or no text; says what it is.
    """
    if not head.strip(b" \t\r\n\x00"):
        holds = "holds nothing but zero bytes" if b"\x00" in head else "is empty"
        raise AnnotationError(path, f"{holds}; a table was expected")
    if kind := other_kind(head):
        raise AnnotationError(path, f"is {kind}")
    encoding, start = _encoding(head)
    if encoding is None:
        raise AnnotationError(path, f"is {_BINARY}")
    text = head[start:].decode(encoding, "replace")
    is_cr = "\n" not in text and "\r" in text
    return TextFormat(encoding, start, "\r" if is_cr else "\n")


def other_kind(head: bytes) -> str | None:
    """Say what a file is that is no text, and what to do with it; None for text.

    Args:
        head: Its first bytes.
    """
    for magic, kind in _KINDS:
        if head.startswith(magic):
            is_workbook = magic == b"PK\x03\x04" and (b"xl/" in head or b"[Content_Types]" in head)
            return _EXCEL if is_workbook else kind
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return _WEB_PAGE if b"html" in start else "XML, not a table"
    zeros = head.count(0) / max(len(head), 1)
    return _UTF_32 if 0.7 < zeros < 0.8 else None


def _encoding(head: bytes) -> tuple[str | None, int]:
    """Return the encoding and the length of its mark; None for bytes that are no text."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    half = max(len(head) // 2, 1)
    first, second = head[0::2].count(0) / half, head[1::2].count(0) / half
    # The Latin letters, digits and commas of a table have a zero byte each in UTF-16.
    if max(first, second) > 0.4 and min(first, second) < 0.05:
        return ("utf-16-le" if second > first else "utf-16-be"), 0
    control = len(head) - len(head.translate(None, _CONTROL))
    return (None if control > 0.1 * len(head) else "utf-8"), 0
