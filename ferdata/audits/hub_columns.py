"""The columns with which ferdata marks its copies in a Hugging Face dataset."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ferdata.core.manifest import Manifest

_COLUMNS = ("sample_id", "parent_id", "operations")
_ROW = re.compile(r"(?P<file>.+\.parquet)#[^#]+/(?P<row>\d+)")


def with_marked_copies(manifest: Manifest, root: Path) -> Manifest:
    """Fill in ids and parents where the Parquet files of a folder have them.

    Args:
        manifest: Rows read from Parquet files, uris such as `data/train.parquet#image/3`.
        root: The folder.
    """
    places = [_ROW.fullmatch(uri) for uri in manifest.table.column("uri").to_pylist()]
    files = sorted({place["file"] for place in places if place is not None})
    if not files or not all(place is not None for place in places):
        return manifest
    if any(not set(_COLUMNS) <= set(pq.read_schema(root / file).names) for file in files):
        return manifest
    tables = [pq.read_table(root / file, columns=list(_COLUMNS)) for file in files]
    first = dict(zip(files, np.cumsum([0, *(len(each) for each in tables)]).tolist(), strict=False))
    rows = [first[place["file"]] + int(place["row"]) for place in places if place is not None]
    found = pa.concat_tables(tables).take(pa.array(rows))
    for name in _COLUMNS:
        column = found.column(name).cast(pa.string())
        empty = pc.fill_null(pc.equal(column, ""), True)
        manifest = manifest.with_column(
            name, pc.if_else(empty, pa.scalar(None, pa.string()), column)
        )
    return manifest
