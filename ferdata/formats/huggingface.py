"""Hugging Face shards: Parquet with the images inside, as `datasets.load_dataset` opens them.

Images are embedded as lossless PNG, `label` is a `ClassLabel`, `landmarks` an `Array2D`; the other
columns are those of the HDF5 shard. Unknown numbers are NaN and unknown strings empty, since torch
can't collate null; a build without landmarks has no column `landmarks`. The features are in the
metadata of the Arrow schema under `huggingface`, where `datasets` looks for them.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ferdata.core.errors import BuildError
from ferdata.core.labels import LabelSpace
from ferdata.core.parquet import open_parquet
from ferdata.formats.card import write_card
from ferdata.formats.content import RowBatch, ShardIdentity, ShardSpec
from ferdata.formats.contract import ShardFormat, ShardWriter, library_errors
from ferdata.formats.features import features
from ferdata.formats.names import PNG, STRING_COLUMNS

logger = logging.getLogger(__name__)

ROW_GROUP_ROWS = 256
"""Rows of a Parquet row group, which a reader loads at once: a few megabytes of small faces."""

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


_errors = partial(library_errors, library="Parquet", errors=(pa.ArrowException,))


class ParquetShardWriter(ShardWriter):
    """Writes one Parquet shard.

    Rows are collected into row groups of `ROW_GROUP_ROWS`, so that equal rows give equal bytes,
    however they are batched.
    """

    def open(self) -> None:
        """Create the file."""
        self._schema = arrow_schema(self.spec)
        self._waiting: list[Any] = []
        with _errors(self.path, "written"):
            # As bytes, see `core.parquet`; the file's own close tells whether the disk was full.
            self._file = pa.OSFile(os.fsencode(self.path), "wb")
            self._writer = pq.ParquetWriter(
                self._file,
                self._schema,
                compression=_compression(self._schema),
                use_dictionary=["label", "dataset", "subject"],
                write_page_index=True,
            )

    def write(self, batch: RowBatch, rows: slice) -> None:  # noqa: ARG002 - rows come in order
        """Write the row groups that are full with this batch."""
        self._waiting.append(_to_arrow(batch, self._schema))
        self._flush(ROW_GROUP_ROWS)

    def finish(self) -> None:
        """Write the last row group and close the file."""
        self._flush(1)
        with _errors(self.path, "written"):
            self._writer.close()
            self._file.close()

    def close(self) -> None:
        """Close the file; after an error another one of closing does not matter."""
        try:
            self._writer.close()
            self._file.close()
        except (OSError, pa.ArrowException) as error:
            logger.debug("%s: closing after an error: %s", self.path, error)

    def _flush(self, at_least: int) -> None:
        """Write row groups as long as at least this many rows are waiting."""
        if sum(len(batch) for batch in self._waiting) < at_least:
            return
        table = pa.Table.from_batches(self._waiting, self._schema)
        start = 0
        with _errors(self.path, "written"):
            while table.num_rows - start >= at_least:
                self._writer.write_table(table.slice(start, ROW_GROUP_ROWS).combine_chunks())
                start += min(ROW_GROUP_ROWS, table.num_rows - start)
        self._waiting = table.slice(start).to_batches()


def arrow_schema(spec: ShardSpec) -> Any:
    """Return the `pyarrow.Schema` of a shard, with its metadata."""
    columns = features(spec)
    metadata = {
        "huggingface": json.dumps({"info": {"features": columns}}),
        "ferdata.split": spec.split,
        "ferdata.label_space": spec.label_space.to_json(),
        "ferdata.landmark_scheme": spec.landmark_scheme or "",
        **{f"ferdata.{name}": spec.attributes[name] for name in sorted(spec.attributes)},
    }
    fields = [pa.field(name, _arrow_type(column)) for name, column in columns.items()]
    return pa.schema(fields, metadata)


def check(path: Path, spec: ShardSpec) -> None:
    """Reopen a written shard and check that it matches its spec.

    Raises:
        BuildError: The file can't be read, or its columns, metadata or number of rows differ.
    """
    with _open(path) as file:
        found, expected = file.schema_arrow, arrow_schema(spec)
        # Compared in two steps, because reading adds Parquet field ids to each field's metadata.
        if not found.equals(expected) or found.metadata != expected.metadata:
            raise BuildError(f"{path}: its columns or metadata differ from what was written")
        if file.metadata.num_rows != spec.rows:
            raise BuildError(f"{path}: {file.metadata.num_rows} rows; expected {spec.rows}")


def read_identity(path: Path) -> ShardIdentity:
    """Read which rows a shard contains.

    Raises:
        BuildError: The file is not a readable shard of this format.
    """
    with _open(path) as file:
        metadata = {k.decode(): v.decode() for k, v in (file.schema_arrow.metadata or {}).items()}
        names = LabelSpace.from_json(metadata["ferdata.label_space"])
        table = file.read(["label", *STRING_COLUMNS])
        columns = {
            name: [
                value or "" for value in table.column(name).to_pylist()
            ]  # null before ferdata-hf/2
            for name in STRING_COLUMNS
        }
        columns["label"] = names.decode(table.column("label").to_pylist())
        return ShardIdentity(
            metadata["ferdata.split"], metadata.get("ferdata.plan_sha256", ""), columns
        )


def _arrow_type(column: dict[str, Any]) -> Any:
    """Return the Arrow type of a feature, as `datasets` stores it."""
    kind = column["_type"]
    if kind == "Image":
        return _IMAGE
    if kind == "ClassLabel":
        return pa.int64()
    if kind == "Array2D":
        return pa.list_(pa.list_(pa.type_for_alias(column["dtype"])))
    if kind == "List":
        return pa.list_(_arrow_type(column["feature"]), column["length"])
    return pa.type_for_alias(column["dtype"])


def _compression(schema: Any) -> dict[str, str]:
    """Return zstd for every column except the image's bytes, which are compressed already."""
    paths = [path for field in schema for path in _leaf_paths(field.name, field.type)]
    return {path: "none" if path == "image.bytes" else "zstd" for path in paths}


def _leaf_paths(name: str, kind: Any) -> list[str]:
    """Return Parquet's names of the innermost columns of an Arrow column."""
    if pa.types.is_struct(kind):
        return [path for field in kind for path in _leaf_paths(f"{name}.{field.name}", field.type)]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return _leaf_paths(f"{name}.list.element", kind.value_type)
    return [name]


def _to_arrow(batch: RowBatch, schema: Any) -> Any:
    """Turn a batch into a `pyarrow.RecordBatch`."""
    return pa.RecordBatch.from_arrays(
        [_column(batch, field.name, field.type) for field in schema], schema=schema
    )


def _column(batch: RowBatch, name: str, kind: Any) -> Any:
    if name == "image":
        paths = [f"{sample.rsplit('/', 1)[-1]}.png" for sample in batch.sample_id]
        images = [pa.array(batch.encoded(PNG), pa.binary()), pa.array(paths, pa.string())]
        return pa.StructArray.from_arrays(images, fields=list(kind))
    values = getattr(batch, name)
    if pa.types.is_string(kind):
        return pa.array(values, kind)
    return _numbers(values, kind)


def _numbers(values: np.ndarray[Any, Any], kind: Any) -> Any:
    """Turn an array of shape (n, ...) into lists, without a Python object per number."""
    if values.ndim == 1:
        return pa.array(np.ascontiguousarray(values), kind)
    flat = _numbers(values.reshape(-1, *values.shape[2:]), kind.value_type)
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(flat, type=kind)
    ends = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(ends, flat, type=kind)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    with _errors(path, "read"), open_parquet(path) as file:
        yield file


HUGGING_FACE = ShardFormat(
    name="hf",
    title="Hugging Face",
    folder="hf/data",
    suffix=".parquet",
    writer=ParquetShardWriter,
    check=check,
    read_identity=read_identity,
    version="ferdata-hf/2",
    companions={"hf/README.md": write_card},
    example="import datasets; print(datasets.load_dataset('{out}/hf'))",
    library="datasets",
)
