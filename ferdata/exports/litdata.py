"""LitData: the optimized chunks that `litdata.StreamingDataset` reads, a folder per split.

Written without the library, which pins a package (`botocore`'s `python-dateutil<3`) that others
need newer. A chunk is `uint32 n`, then `uint32 offset[n + 1]`, then the items; an item is the
`uint32` size of each of its values, then the values. `index.json` says how they are encoded. All
numbers are little-endian. See `litdata/streaming/writer.py` and `serializers.py` of LitData 0.2.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.files import write_json
from ferdata.exports.contract import ExportContent, ExportFormat, ExportRow

_INT, _FLOAT, _TEXT, _ARRAY = "int", "float", "str", "numpy"

_FIELDS = {
    "image": _ARRAY,
    "label": _INT,
    "label_name": _TEXT,
    "split": _TEXT,
    "sample_id": _TEXT,
    "dataset": _TEXT,
    "subject": _TEXT,
    "parent_id": _TEXT,
    "operations": _TEXT,
    "box": _ARRAY,
    "landmarks": _ARRAY,
    "soft_label": _ARRAY,
    "valence": _FLOAT,
    "arousal": _FLOAT,
}
"""The values of an item and their encoding; all items have all of them, NaN or "" for unknown."""

_LARGEST_CHUNK = 2**30
"""Bytes; a chunk is in memory until it is written, and its offsets have 32 bits."""

_TYPE_CODE = {"uint8": 4, "float32": 9}
"""LitData's numbers of NumPy's types."""


def write(folder: Path, content: ExportContent) -> None:
    """Write the chunks of each split."""
    for split in content.splits:
        (folder / split).mkdir()
        chunks = _Chunks(folder / split, content.shard_bytes)
        for row in content.rows(split):
            chunks.add(_item(row, content))
        chunks.finish()


class _Chunks:
    """The chunk files of a split.

    Args:
        folder: Where they are written.
        most: Bytes of the items of a chunk; at most `_LARGEST_CHUNK`.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, min(most, _LARGEST_CHUNK)
        self._items: list[bytes] = []
        self._bytes = 0
        self._written: list[dict[str, Any]] = []

    def add(self, item: bytes) -> None:
        """Add an item; a full chunk is written first."""
        if self._items and self._bytes + len(item) > self._most:
            self._flush()
        self._items.append(item)
        self._bytes += len(item)

    def finish(self) -> None:
        """Write the last chunk, and the index."""
        if self._items:
            self._flush()
        config = {
            "chunk_bytes": self._most,
            "chunk_size": None,
            "compression": None,
            "data_format": list(_FIELDS.values()),
            "data_spec": _tree_spec(list(_FIELDS)),
            "encryption": None,
            "item_loader": "PyTreeLoader",
        }
        # `updated_at` is a time in LitData's own indexes; it only tells one version from another.
        index = {"chunks": self._written, "config": config, "updated_at": "0"}
        write_json(self._folder / "index.json", index)

    def _flush(self) -> None:
        count = len(self._items)
        sizes = np.array([len(item) for item in self._items], np.uint32)
        offsets = 4 * (count + 2) + np.concatenate(([0], np.cumsum(sizes)))
        name = f"chunk-0-{len(self._written)}.bin"
        head = struct.pack("<I", count) + offsets.astype("<u4").tobytes()
        with (self._folder / name).open("wb") as file:
            file.write(head)
            file.writelines(self._items)
        size = len(head) + self._bytes
        self._written.append(
            {"chunk_bytes": size, "chunk_size": count, "dim": None, "filename": name}
        )
        self._items, self._bytes = [], 0


def _item(row: ExportRow, content: ExportContent) -> bytes:
    points, classes = content.build.landmarks.points, len(content.label_space)
    unknown: dict[str, Any] = {
        "box": np.full((1, 4), np.nan, np.float32),
        "landmarks": np.full((points, 2), np.nan, np.float32),
        "soft_label": np.full((1, classes), np.nan, np.float32),
        "valence": np.nan,
        "arousal": np.nan,
    }
    known = {name: value for name, value in row.values.items() if value is not None}
    values = {"image": row.pixels, **unknown, **known}
    encoded = [_ENCODE[kind](values.get(name, "")) for name, kind in _FIELDS.items()]
    return struct.pack(f"<{len(encoded)}I", *map(len, encoded)) + b"".join(encoded)


def _encode_array(array: npt.NDArray[Any]) -> bytes:
    """Encode an array as LitData's `numpy` does: type, dimensions, shape, values."""
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    head = struct.pack("<II", _TYPE_CODE[array.dtype.name], array.ndim)
    return head + struct.pack(f"<{array.ndim}I", *array.shape) + array.tobytes()


_ENCODE: dict[str, Callable[[Any], bytes]] = {
    _INT: lambda value: struct.pack("<q", value),
    _FLOAT: lambda value: struct.pack("<d", value),
    _TEXT: lambda value: value.encode(),
    _ARRAY: _encode_array,
}


def _tree_spec(names: list[str]) -> str:
    """Return how torch's `treespec_dumps` writes a dict with these keys, which an item becomes."""
    leaf: dict[str, Any] = {"type": None, "context": None, "children_spec": []}
    tree = {
        "type": "builtins.dict",
        "context": json.dumps(names),
        "children_spec": [leaf] * len(names),
    }
    return json.dumps([1, tree])


LITDATA = ExportFormat(
    name="litdata",
    title="LitData chunks",
    write=write,
    readers="litdata",
    example="""\
from litdata import StreamingDataset

{split} = StreamingDataset("{out}/{split}")
{split}[0]["image"], {split}[0]["label"]""",
)
