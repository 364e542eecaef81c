"""The manifest: schema, rules, digest, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from ferdata.core.errors import ManifestError
from ferdata.core.labels import BASIC7, BASIC8
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject, load_rejects, save_rejects
from ferdata.core.schema import ADDED_COLUMNS, SCHEMA


def row(index: int, **values: Any) -> dict[str, Any]:
    """Return a minimal valid row."""
    return {
        "sample_id": f"rafdb/{index:05d}",
        "dataset": "rafdb",
        "layout": "kaggle",
        "uri": f"train/{index}.jpg",
        "framing": "crop",
        "label": BASIC7.names[index % 7],
        "split": "train",
        **values,
    }


@pytest.fixture
def manifest() -> Manifest:
    """Return a manifest with nulls, nested values and every kind of column in use."""
    return Manifest.from_rows(
        (
            row(
                index,
                landmarks=[[1.5, 2.0], [3.0, index]] if index % 2 else None,
                box=[0, 0, 5, index] if index % 3 else None,
                votes=list(range(index % 4)) if index % 5 else None,
                valence=index / 7 if index % 2 else None,
            )
            for index in range(100)
        ),
        BASIC7,
    )


def test_every_stage_keeps_the_declared_schema(manifest: Manifest) -> None:
    assert manifest.table.schema.equals(SCHEMA)
    assert manifest.take([3, 1]).column("sample_id") == ["rafdb/00003", "rafdb/00001"]


def test_round_trips_keep_the_digest(manifest: Manifest, tmp_path: Path) -> None:
    manifest.save(tmp_path / "m.parquet", row_group_sizes=[70, 30])
    loaded = Manifest.load(tmp_path / "m.parquet")
    through_pandas = Manifest.from_pandas(manifest.to_pandas(), BASIC7)
    assert loaded.digest() == manifest.digest() == through_pandas.digest()
    assert loaded.label_space == BASIC7


def test_row_groups_can_be_read_alone(manifest: Manifest, tmp_path: Path) -> None:
    manifest.save(tmp_path / "m.parquet", row_group_sizes=[70, 30])
    second = Manifest.load(tmp_path / "m.parquet", row_group=1)
    assert second.digest() == manifest.take(np.arange(70, 100)).digest()


@pytest.mark.parametrize(
    ("column", "value"),
    [("label", "fear"), ("landmarks", [[1.5, 2.0], [3.0, 8.0]]), ("valence", 0.5), ("uri", "x")],
)
def test_digest_sees_every_column(manifest: Manifest, column: str, value: Any) -> None:
    values = manifest.column(column)
    values[7] = value
    assert manifest.with_column(column, values).digest() != manifest.digest()


def test_digest_sees_order_and_label_space(manifest: Manifest) -> None:
    assert manifest.take(np.arange(100)[::-1]).digest() != manifest.digest()
    assert Manifest(manifest.table, BASIC8).digest() != manifest.digest()


def test_digest_does_not_see_roots(manifest: Manifest) -> None:
    elsewhere = Manifest(manifest.table, BASIC7, roots={"rafdb": Path("/elsewhere")})
    assert elsewhere.digest() == manifest.digest()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": "contempt"}, "'contempt'; expected one of anger"),
        ({"split": "valid"}, "'valid'; expected one of train, validation, test"),
        ({"sample_id": "rafdb/00001"}, "more than once"),
        ({"split": "test", "parent_id": "rafdb/00001"}, "outside the train split"),
        ({"framing": "portrait"}, "expected one of crop, photograph"),
        ({"landmarks": [[1.0, 2.0]]}, "'rafdb/00002' has landmarks but no landmark_scheme"),
    ],
)
def test_validate_names_what_is_wrong(values: dict[str, Any], message: str) -> None:
    manifest = Manifest.from_rows([row(0), row(1), row(2, **values)], BASIC7)
    with pytest.raises(ManifestError, match=message):
        manifest.validate()


def test_null_in_a_required_column_is_refused() -> None:
    with pytest.raises(ManifestError):
        Manifest.from_rows([row(0, uri=None)], BASIC7).validate()


def test_unknown_column_and_wrong_type_are_refused() -> None:
    with pytest.raises(ManifestError, match="emotion"):
        Manifest.from_rows([row(0, emotion="fear")], BASIC7)
    with pytest.raises(ManifestError, match="does not fit"):
        Manifest.from_rows([row(0, width="wide")], BASIC7)


def test_rows_in_are_rows_out_plus_rejects(manifest: Manifest) -> None:
    mask = np.zeros(100, bool)
    mask[[3, 50]] = True
    rejects = [Reject(f"rafdb/{i:05d}", "u", "faces", "broken") for i in (3, 50)]
    left = manifest.reject(mask, rejects)
    assert len(left) + len(left.rejects) == 100
    with pytest.raises(ManifestError, match="2 rows rejected with 1"):
        manifest.reject(mask, rejects[:1])


def test_rejects_round_trip(tmp_path: Path) -> None:
    rejects = (Reject("a", "b/ü.jpg", "ingest", "file is missing"),)
    save_rejects(rejects, tmp_path / "r.parquet")
    assert load_rejects(tmp_path / "r.parquet") == rejects
    save_rejects([], tmp_path / "none.parquet")
    assert load_rejects(tmp_path / "none.parquet") == ()


def test_file_that_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(ManifestError, match="not a readable Parquet file"):
        Manifest.load(tmp_path / "x.parquet")
    save_rejects([], tmp_path / "r.parquet")
    with pytest.raises(ManifestError, match="schema version None"):
        Manifest.load(tmp_path / "r.parquet")


def older(path: Path, manifest: Manifest) -> str:
    """Write a manifest as version 2 had it, without later columns; return the digest it had."""
    manifest.save(path)
    table = pq.read_table(path)
    metadata = {**table.schema.metadata, b"ferdata.schema": b"ferdata-manifest/2"}
    kept = table.drop_columns(list(ADDED_COLUMNS["ferdata-manifest/2"]))
    pq.write_table(kept.replace_schema_metadata(metadata), path)
    return manifest.digest("ferdata-manifest/2")


def test_manifests_of_version_2_are_read(manifest: Manifest, tmp_path: Path) -> None:
    digest = older(tmp_path / "m.parquet", manifest)
    loaded = Manifest.load(tmp_path / "m.parquet")
    assert loaded.table.schema.equals(SCHEMA)
    assert loaded.column("quality") == [None] * len(manifest)
    assert loaded.digest("ferdata-manifest/2") == digest != loaded.digest()


@pytest.mark.parametrize("version", ["ferdata-manifest/1", "ferdata-manifest/99"])
def test_other_versions_are_refused_with_what_to_do(
    manifest: Manifest, tmp_path: Path, version: str
) -> None:
    manifest.save(tmp_path / "m.parquet")
    table = pq.read_table(tmp_path / "m.parquet")
    metadata = {**table.schema.metadata, b"ferdata.schema": version.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "m.parquet")
    with pytest.raises(ManifestError, match=f"{version}.*again, or update ferdata"):
        Manifest.load(tmp_path / "m.parquet")


def test_a_million_rows_take_under_a_gigabyte() -> None:
    small = Manifest.from_rows(
        (row(i, file_sha256="0" * 64, pixel_sha256="1" * 64) for i in range(10_000)), BASIC7
    )
    assert small.table.nbytes / len(small) * 1_000_000 < 1e9
