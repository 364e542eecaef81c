"""Atomic writes (temporary name, flush, sync, rename), JSON, CSV and hashes of files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ferdata.core.errors import BuildError, ParseError
from ferdata.core.parsing import parse_json

DEMO_MARKER = "ferdata-demo.json"
"""File at the root of a synthetic copy: its dataset, its scale, and whether it is complete."""

EXPORT_RECORD = "ferdata-export.json"
"""File in an exported build: its name, its format, and the terms of its images."""

TEMPORARY_SUFFIX = ".partial"
"""Suffix of a file that is being written; leftover ones are never read."""


@contextmanager
def finish_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; sync and rename it when the block succeeds.

    For writers that need a path. The temporary file is removed if the block fails.

    Raises:
        BuildError: The disk is full or the folder can't be written.
    """
    partial = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # a name that is too long can't be removed either
            partial.unlink(missing_ok=True)
        raise BuildError(f"{path}: can't be written: {error.strerror or error}") from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def write_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file for writing that gets its name only when it is complete.

    Raises:
        BuildError: The disk is full or the folder can't be written.
    """
    with finish_atomically(path) as partial, partial.open("wb") as file:
        yield file
        file.flush()


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON with sorted keys, atomically."""
    with write_atomically(path) as file:
        file.write(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode())
        file.write(b"\n")


@contextmanager
def csv_rows(path: Path, header: Sequence[str]) -> Iterator[Callable[[Sequence[Any]], object]]:
    """Yield a function that writes a row of a CSV file in UTF-8, atomically and row by row.

    Args:
        path: The file.
        header: Names of the columns.

    Raises:
        BuildError: The disk is full or the folder can't be written.
    """
    with write_atomically(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        yield writer.writerow
        text.detach()


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV in UTF-8, atomically."""
    with csv_rows(path, header) as write:
        for row in rows:
            write(row)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        BuildError: The file is missing or is not JSON.
    """
    try:
        return parse_json(path.read_bytes())
    except FileNotFoundError:
        raise BuildError(f"{path}: no such file") from None
    except (OSError, ParseError) as error:
        raise BuildError(f"{path}: not readable as JSON: {error}") from error


def sha256_file(path: Path) -> str:
    """Hash a file's bytes, hexadecimal, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; folders can't be synced on Windows."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
