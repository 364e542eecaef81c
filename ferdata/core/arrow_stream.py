"""Arrow files as `save_to_disk` of Hugging Face datasets writes them, read as Parquet files are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from ferdata.core.parsing import parsing


def map_stream(path: Path) -> pa.Table:
    """Return the table of a file in Arrow's stream format; its bytes stay on disk.

    Raises:
        OSError: The file is missing or can't be opened.
        ParseError: It is not a whole Arrow file.
    """
    memory = pa.memory_map(os.fsdecode(path))
    with parsing("a whole Arrow file"), pa.ipc.open_stream(memory) as reader:
        return reader.read_all()


class ArrowStream:
    """A file of Arrow's stream format, with what is used of `pyarrow.parquet.ParquetFile`.

    Args:
        path: The file.

    Attributes:
        schema_arrow: Its schema.

    Raises:
        OSError: The file is missing or can't be opened.
        ParseError: It is not a whole Arrow file.
    """

    def __init__(self, path: Path) -> None:
        self._table = map_stream(path)
        self.schema_arrow = self._table.schema

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return some columns."""
        return self._table.select(columns)

    def iter_batches(self, rows: int, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns."""
        yield from self._table.select(columns).to_batches(max_chunksize=rows)
