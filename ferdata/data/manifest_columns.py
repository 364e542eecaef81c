"""Reading only some columns of a build's manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ferdata.core.errors import ManifestError
from ferdata.core.schema import ADDED_COLUMNS, SCHEMA

_ADDED = {name for names in ADDED_COLUMNS.values() for name in names}


def read_manifest_columns(root: Path, columns: Sequence[str]) -> pa.Table | None:
    """Read some columns of a build's manifest; `Manifest.load` would read all forty.

    Args:
        root: Folder of the build.
        columns: Names of the columns.

    Returns:
        A `pyarrow.Table` with one row per image; None if the build has no manifest. Columns that
        older versions lack are null.

    Raises:
        ManifestError: The manifest is broken or lacks a column.
    """
    path = root / "manifest.parquet"
    if not path.is_file():
        return None
    try:
        there = pq.read_schema(path).names
        lacking = [name for name in columns if name in _ADDED and name not in there]
        table = pq.read_table(path, columns=[name for name in columns if name not in lacking])
        for name in lacking:
            table = table.append_column(
                SCHEMA.field(name), pa.nulls(len(table), SCHEMA.field(name).type)
            )
        return table.select(list(columns))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise ManifestError(
            f"{path}: not a readable manifest ({reason}); run `ferdata verify` on the build."
        ) from error
