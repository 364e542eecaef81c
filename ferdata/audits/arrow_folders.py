"""Folders that `save_to_disk` of Hugging Face datasets wrote: Arrow files, a folder per split."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ferdata.core.errors import LayoutError

_SIGNS = ("dataset_dict.json", "state.json")


def is_arrow_folder(path: Path) -> bool:
    """Say whether `save_to_disk` wrote a folder."""
    return any((path / name).is_file() for name in _SIGNS)


def write_parquet(path: Path, stack: ExitStack) -> Path:
    """Write the Arrow files as Parquet files, which images can be read from.

    Args:
        path: The folder.
        stack: Removes the temporary folder when it is closed.

    Returns:
        A temporary folder with `SPLIT-NUMBER.parquet`.

    Raises:
        LayoutError: There is no Arrow file, or one is damaged.
    """
    files = sorted(path.rglob("*.arrow"))
    files = [each for each in files if not each.name.startswith("cache-")]
    if not files:
        raise LayoutError(f"{path}: written by save_to_disk, but its .arrow files are missing")
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ferdata-audit-")))
    for number, file in enumerate(files):
        split = file.parent.name if file.parent != path else "train"
        try:
            _convert(file, home / f"{split}-{number:05d}.parquet")
        except (pa.ArrowInvalid, OSError) as error:
            raise LayoutError(f"{file}: not a readable Arrow file ({error})") from error
    return home


def _convert(source: Path, target: Path) -> None:
    """Copy one file batch by batch; the metadata name the classes."""
    with pa.memory_map(str(source)) as memory:
        reader = pa.ipc.open_stream(memory)
        with pq.ParquetWriter(target, reader.schema) as writer:
            for batch in _batches(reader):
                writer.write_batch(batch)


def _batches(reader: pa.RecordBatchStreamReader) -> Iterator[pa.RecordBatch]:
    yield from reader
