"""Reading only some columns of a build's manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ferdata.core.errors import ManifestError


def read_manifest_columns(root: Path, columns: Sequence[str]) -> pa.Table | None:
    """Read some columns of a build's manifest; `Manifest.load` would read all forty.

    Args:
        root: Folder of the build.
        columns: Names of the columns.

    Returns:
        A `pyarrow.Table` with one row per image; None if the build has no manifest.

    Raises:
        ManifestError: The manifest is broken or lacks a column.
    """
    path = root / "manifest.parquet"
    if not path.is_file():
        return None
    try:
        return pq.read_table(path, columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise ManifestError(
            f"{path}: not a readable manifest ({reason}); run `ferdata verify` on the build."
        ) from error
