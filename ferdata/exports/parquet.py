"""Parquet: a file per split with every column, images as PNG bytes as Hugging Face has them."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from ferdata.exports.contract import COLUMNS, ExportContent, ExportFormat, ExportRow
from ferdata.formats.contract import library_errors

_GROUP_ROWS = 256
"""Rows of a row group, which a reader loads at once."""

_NUMBER = {"dtype": "float32", "_type": "Value"}
_TEXT = {"dtype": "string", "_type": "Value"}

_errors = partial(library_errors, library="Parquet", errors=(pa.ArrowException,))


class RowWriter:
    """Writes rows to one Parquet file, in constant memory.

    Args:
        path: The file.
        content: What is exported.
        image: The first column: `image` for the images themselves, `file_name` for their paths.
    """

    def __init__(self, path: Path, content: ExportContent, image: str) -> None:
        self._path = path
        self._schema = _schema(content, image)
        self._image = image
        self._waiting: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Create the file."""
        with _errors(self._path, "written"):
            self._file = pa.OSFile(os.fsencode(self._path), "wb")
            self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")
        return self

    def write(self, image: Any, row: ExportRow) -> None:
        """Write a row.

        Args:
            image: The value of the first column.
            row: The others.
        """
        values = {name: row.values[name] for name in self._schema.names[1:]}
        if values.get("landmarks") is not None:
            values["landmarks"] = list(values["landmarks"])
        self._waiting.append({self._image: image, **values})
        if len(self._waiting) == _GROUP_ROWS:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the last row group and close the file."""
        if kind is None and self._waiting:
            self._flush()
        with _errors(self._path, "written"):
            self._writer.close()
            self._file.close()

    def _flush(self) -> None:
        with _errors(self._path, "written"):
            self._writer.write_table(pa.Table.from_pylist(self._waiting, self._schema))
        self._waiting = []


def write(folder: Path, content: ExportContent) -> None:
    """Write a file per split."""
    for split in content.splits:
        with RowWriter(folder / f"{split}.parquet", content, "image") as file:
            for row in content.rows(split):
                file.write({"bytes": row.png, "path": f"{row.name}.png"}, row)


def _schema(content: ExportContent, image: str) -> Any:
    """Return the `pyarrow.Schema`, with the features that `datasets` looks for."""
    space, points = content.label_space, content.build.landmarks.points
    kinds: dict[str, Any] = {
        "label": {"names": list(space.names), "_type": "ClassLabel"},
        "box": _list_of(_NUMBER, 4),
        "landmarks": _list_of(_list_of(_NUMBER, 2), points),
        "soft_label": _list_of(_NUMBER, len(space)),
        "valence": _NUMBER,
        "arousal": _NUMBER,
    }
    names = [name for name in COLUMNS if points or name != "landmarks"]
    first = {"_type": "Image"} if image == "image" else _TEXT
    features = {image: first, **{name: kinds.get(name, _TEXT) for name in names}}
    metadata = {
        "huggingface": json.dumps({"info": {"features": features}}),
        "ferdata.label_space": space.to_json(),
        "ferdata.landmark_scheme": content.build.landmarks.scheme or "",
    }
    fields = [pa.field(name, _arrow_type(feature)) for name, feature in features.items()]
    return pa.schema(fields, metadata)


def _list_of(item: dict[str, Any], length: int) -> dict[str, Any]:
    return {"feature": item, "length": length, "_type": "List"}


def _arrow_type(feature: dict[str, Any]) -> Any:
    """Return the Arrow type of a feature, as `datasets` stores it."""
    kind = feature["_type"]
    if kind == "Image":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    if kind == "ClassLabel":
        return pa.int64()
    if kind == "List":
        return pa.list_(_arrow_type(feature["feature"]), feature["length"])
    return pa.type_for_alias(feature["dtype"])


PARQUET = ExportFormat(
    name="parquet",
    title="Parquet files",
    write=write,
    readers="pandas, Polars, DuckDB, Hugging Face datasets",
    example="""\
import pandas as pd

{split} = pd.read_parquet("{out}/{split}.parquet")""",
)
