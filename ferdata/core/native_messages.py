"""What decoders in C write to standard error, caught instead of printed.

libjpeg and libpng report damage there and nowhere else: OpenCV passes on neither their warnings nor
a switch to silence them, and Pillow drops them. So standard error is a file while one image is
decoded, which costs about two microseconds.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

_OF_DECODERS = re.compile(
    rb"Corrupt JPEG data|Premature end of JPEG|Invalid SOS|Inconsistent progression|"
    rb"Warning: unknown JFIF|Unknown Adobe|Unsupported|libpng (?:error|warning)|TIFF\w*: "
)
"""How messages of libjpeg (jerror.h), libpng and libtiff begin."""

_lock = threading.Lock()
_files: list[int] = []  # the descriptor of this process's file, once it is open
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_files.clear)


def listen(function: Callable[..., Result], *arguments: Any) -> tuple[Result, list[str]]:
    """Call a function and catch what decoders write to standard error meanwhile.

    Lines that are not a decoder's come from other threads and are passed on.

    Returns:
        The function's result, and the lines.
    """
    with _lock:
        caught = _files[0] if _files else _open_file()
        kept = _duplicate()
        os.dup2(caught, 2)
        text = b""
        try:
            result = function(*arguments)
        finally:
            if kept is None:
                os.close(2)
            else:
                os.dup2(kept, 2)
            if os.lseek(caught, 0, os.SEEK_CUR):
                text = _read(caught)
                if kept is not None:
                    os.write(kept, b"".join(_lines(text, of_decoders=False)))
            if kept is not None:
                os.close(kept)
    if not text:
        return result, []
    lines = _lines(text, of_decoders=True)
    return result, [line.decode("utf-8", "replace").strip() for line in lines]


def _lines(text: bytes, *, of_decoders: bool) -> list[bytes]:
    """Return the lines that are decoders' messages, or the others."""
    lines = text.splitlines(keepends=True)
    return [line for line in lines if bool(_OF_DECODERS.match(line)) == of_decoders]


def _open_file() -> int:
    """Open this process's file for messages; return its descriptor."""
    with tempfile.TemporaryFile() as file:
        # Another number than the file's own: that is 2 where standard error is closed.
        descriptor = os.dup(file.fileno())
    _files.append(descriptor)
    return descriptor


def _duplicate() -> int | None:
    """Return another descriptor of standard error; None if it is closed."""
    try:
        return os.dup(2)
    except OSError:
        return None


def _read(file: int) -> bytes:
    """Return what was written to the file, and empty it."""
    size = os.lseek(file, 0, os.SEEK_CUR)
    os.lseek(file, 0, os.SEEK_SET)
    text = os.read(file, size)
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    return text
