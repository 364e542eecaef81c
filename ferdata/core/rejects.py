"""Rejects: rows that were excluded, each with its stage and reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ferdata.core.errors import ManifestError, ParseError
from ferdata.core.files import write_atomically
from ferdata.core.parquet import read_parquet
from ferdata.core.schema import REJECT_SCHEMA


@dataclass(frozen=True)
class Reject:
    """A row that a stage excluded.

    Attributes:
        sample_id: The sample's id, or an empty string if it has none yet.
        uri: Where it comes from: a path relative to the root, or `list.txt#12` for a line.
        stage: The stage that rejected it: `ingest`, `faces`, `curate` or `build`.
        reason: Why, as text; its kind is the part before the colon, if there is one.
    """

    sample_id: str
    uri: str
    stage: str
    reason: str


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Return numbers of files by rule or reason, the largest first and equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def save_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write `rejects.parquet` atomically."""
    table = pa.Table.from_pylist([vars(reject) for reject in rejects], schema=REJECT_SCHEMA)
    with write_atomically(path) as file:
        pq.write_table(table, file)


def load_rejects(path: Path) -> tuple[Reject, ...]:
    """Read `rejects.parquet`.

    Raises:
        ManifestError: The file is missing or not readable.
    """
    try:
        return tuple(Reject(**row) for row in read_parquet(path).to_pylist())
    except (OSError, ParseError, TypeError) as error:
        raise ManifestError(f"{path}: not a readable list of rejects ({error})") from error


def rejects_file(manifest: Path) -> Path:
    """Return the path of the rejects beside a manifest's file: `FILE.rejects.parquet`."""
    return manifest.with_name(f"{manifest.stem}.rejects.parquet")
