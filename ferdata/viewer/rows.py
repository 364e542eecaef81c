"""The rows that are looked at: an Arrow table with one row per image, and what was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.audits.findings import AuditReport
from ferdata.core.errors import BuildError, ParseError
from ferdata.core.parquet import open_parquet
from ferdata.core.schema import SCHEMA
from ferdata.data.build import Build
from ferdata.data.manifest_columns import read_manifest_columns
from ferdata.evaluation.prediction_file import Prediction

COLUMNS = (
    "sample_id",
    "dataset",
    "uri",
    "label",
    "label_native",
    "subject",
    "sequence",
    "pose",
    "gender",
    "race",
    "age_group",
    "split",
    "landmark_source",
    "face_score",
    "face_finding",
    "width",
    "height",
    "pixel_sha256",
    "perceptual_hash",
    "quality",
    "parent_id",
    "operations",
)
"""Columns of the manifest that are read; older manifests lack some."""

Found = Mapping[str, npt.NDArray[np.int64]]
"""Rows by finding."""


@dataclass(frozen=True)
class Rows:
    """What is known of each image.

    Attributes:
        table: `COLUMNS`, `predicted` (class name) and `confidence` (float64, 0–1); null where
            unknown.
        classes: The names of the classes.
        found: Rows by finding, for instance `quality: dark` or `audit: leak-copy, train/test`.
    """

    table: pa.Table
    classes: tuple[str, ...]
    found: Found

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def source_id(self) -> pa.ChunkedArray:
        """The id of the image that each row was made of; its own for a source image."""
        return pc.coalesce(self.table["parent_id"], self.table["sample_id"])

    @cached_property
    def is_copy(self) -> npt.NDArray[np.bool_]:
        """Which rows are augmented copies, shape (N,)."""
        return np.asarray(pc.is_valid(self.table["parent_id"]).to_numpy(), np.bool_)

    def find(self, sample_id: str) -> int | None:
        """Return the row of an image; None if there is none."""
        row = pc.index(self.table["sample_id"], sample_id).as_py()
        return row if row >= 0 else None

    def family(self, row: int) -> list[int]:
        """Return the source image of a row, if it is there, and all of its copies."""
        same = pc.equal(self.source_id, self.source_id[row]).to_numpy()
        return sorted(np.flatnonzero(same).tolist(), key=lambda each: bool(self.is_copy[each]))

    def findings(self, row: int) -> list[str]:
        """Return what was found about an image."""
        return [name for name, rows in self.found.items() if row in rows]

    def take(self, rows: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Return some columns of some rows."""
        chosen: list[dict[str, Any]] = (
            self.table.select(list(columns)).take(pa.array(rows, pa.int64())).to_pylist()
        )
        return chosen

    def count(self, column: str) -> list[tuple[str, int]]:
        """Count the rows by the values of a column, in the order of their names."""
        counts = pc.value_counts(self.table[column]).to_pylist()
        return sorted((each["values"], each["counts"]) for each in counts if each["values"])


def build_rows(
    build: Build, predictions: Iterable[Prediction] = (), audit: AuditReport | None = None
) -> Rows:
    """Return the rows of a build.

    Args:
        build: The build.
        predictions: What a model said about its images.
        audit: What was found in it.

    Raises:
        BuildError: It has no manifest.
        ManifestError: The manifest is damaged.
    """
    table = read_manifest_columns(build.root, _columns_there(build))
    if table is None:
        raise BuildError(f"{build.root}: manifest.parquet is missing; run `ferdata verify` on it.")
    return make_rows(table, build.label_space.names, predictions, audit)


def make_rows(
    table: pa.Table,
    classes: Sequence[str],
    predictions: Iterable[Prediction] = (),
    audit: AuditReport | None = None,
) -> Rows:
    """Return rows with some of `COLUMNS`; the others are unknown."""
    for name in COLUMNS:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), SCHEMA.field(name).type))
    table = _with_predictions(table, list(predictions))
    rows = Rows(table, tuple(classes), {})
    return Rows(
        table, tuple(classes), {**_quality(table), **_faces(table), **_audited(rows, audit)}
    )


def audit_name(rule: str, subject: str) -> str:
    """Return how a finding of an audit is called among all findings."""
    return f"audit: {rule}, {subject}"


def _with_predictions(table: pa.Table, predictions: Sequence[Prediction]) -> pa.Table:
    said = {each.sample: each for each in predictions}
    if not said:
        table = table.append_column("predicted", pa.nulls(len(table), pa.string()))
        return table.append_column("confidence", pa.nulls(len(table), pa.float64()))
    found = [said.get(sample) for sample in table["sample_id"].to_pylist()]
    predicted = [each and each.predicted for each in found]
    confidence = [None if each is None else each.confidence for each in found]
    table = table.append_column("predicted", pa.array(predicted, pa.string()))
    return table.append_column("confidence", pa.array(confidence, pa.float64()))


def _quality(table: pa.Table) -> Found:
    """Return the rows by what is unusual about their images; its measure is left out."""
    column = table["quality"].combine_chunks()
    rows = pc.list_parent_indices(column).to_numpy()
    names = _kinds(pc.list_flatten(column))
    return {f"quality: {name}": np.unique(rows[names == name]) for name in _words(names)}


def _faces(table: pa.Table) -> Found:
    names = _kinds(table["face_finding"].combine_chunks())
    return {f"face: {name}": np.flatnonzero(names == name) for name in _words(names)}


def _kinds(texts: pa.Array) -> npt.NDArray[np.object_]:
    """Return what stands before the colon of each text; None for null."""
    kinds = pc.list_element(pc.split_pattern(texts, ":", max_splits=1), 0)
    return np.asarray(kinds.to_numpy(zero_copy_only=False), object)


def _words(values: npt.NDArray[np.object_]) -> list[str]:
    return sorted({each for each in values.tolist() if each})


def _audited(rows: Rows, audit: AuditReport | None) -> Found:
    """Return the rows that an audit shows as examples."""
    found: dict[str, set[int]] = defaultdict(set)
    for finding in audit.findings if audit else ():
        for sample in {name for example in finding.examples for name in example.samples}:
            row = rows.find(sample)
            if row is not None:
                found[audit_name(finding.rule, finding.subject)].add(row)
    return {name: np.array(sorted(chosen), np.int64) for name, chosen in found.items()}


def _columns_there(build: Build) -> list[str]:
    """Return those of `COLUMNS` that the build's manifest has."""
    try:
        with open_parquet(build.root / "manifest.parquet") as file:
            names = set(file.schema_arrow.names)
    except (OSError, ParseError):  # who reads the columns says what is wrong
        return list(COLUMNS)
    return [name for name in COLUMNS if name in names]
