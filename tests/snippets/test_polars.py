from __future__ import annotations

import pytest

import ferdata

pytest.importorskip("polars")


def test_scan_the_manifest() -> None:
    """Count images lazily with Polars."""
    import polars as pl

    counts = (
        pl.scan_parquet("out/rafdb/manifest.parquet")
        .filter(pl.col("split") == "train")
        .group_by("label")
        .len()
        .collect()
    )

    assert dict(counts.iter_rows()) == ferdata.open("out/rafdb").split("train").counts


def test_read_the_hugging_face_dataset() -> None:
    """Read the Parquet shards with Polars."""
    import polars as pl

    rows = pl.read_parquet("out/rafdb/hf/data/*.parquet", columns=["image", "label", "parent_id"])

    assert rows["image"].struct.field("bytes")[0].startswith(b"\x89PNG")
    assert rows.filter(pl.col("parent_id") != "").height > 0
    assert rows["parent_id"].null_count() == 0
