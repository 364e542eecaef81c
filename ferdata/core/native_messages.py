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
_files: dict[int, int] = {}  # by process: a fork must not share its parent's file


def listen(function: Callable[..., Result], *arguments: Any) -> tuple[Result, list[str]]:
    """Call a function and catch what decoders write to standard error meanwhile.

    Lines that are not a decoder's come from other threads and are passed on.

    Returns:
        The function's result, and the lines.
    """
    with _lock:
        caught = _file()
        kept = _duplicate()
        os.dup2(caught, 2)
        try:
            result = function(*arguments)
        finally:
            if kept is None:
                os.close(2)
            else:
                os.dup2(kept, 2)
            text = _read(caught) if os.lseek(caught, 0, os.SEEK_CUR) else b""
            lines = text.splitlines(keepends=True)
            others = b"".join(line for line in lines if not _OF_DECODERS.match(line))
            if kept is not None:
                if others:
                    os.write(kept, others)
                os.close(kept)
    return result, [
        line.decode("utf-8", "replace").strip() for line in lines if _OF_DECODERS.match(line)
    ]


def _file() -> int:
    """Return a descriptor of this process's file for messages."""
    process = os.getpid()
    if process not in _files:
        with tempfile.TemporaryFile() as file:
            # Another number than the file's own: that is 2 where standard error is closed.
            _files[process] = os.dup(file.fileno())
    return _files[process]


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
