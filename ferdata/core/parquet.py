"""Parquet files opened for reading, by any name and whatever is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ferdata.core.parsing import parsing

_KIND = "a readable Parquet file"


@contextmanager
def open_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file.

    Raises:
        OSError: The file is missing or can't be opened.
        ParseError: It is not a Parquet file.
    """
    # As bytes: pyarrow takes a path for UTF-8, and a folder may have been named by an older system.
    with pa.OSFile(os.fsencode(path)) as handle:
        with parsing(_KIND):
            file = pq.ParquetFile(handle)
        yield file


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a whole Parquet file, or some of its columns.

    Raises:
        OSError: The file is missing or can't be opened.
        ParseError: It is not a Parquet file, is damaged, or lacks a column.
    """
    with open_parquet(path) as file, parsing(_KIND):
        if columns is not None and (lost := set(columns) - set(file.schema_arrow.names)):
            raise KeyError(f"no column {', '.join(sorted(lost))}")
        table = file.read(columns)
        table.validate(full=True)
        return table
