from __future__ import annotations

import pytest

import ferdata

pytest.importorskip("duckdb")


def test_query_the_manifest() -> None:
    """Ask the manifest in SQL with DuckDB."""
    import duckdb

    rows = duckdb.sql(
        """
        SELECT label, count(*) FILTER (parent_id IS NULL) AS images, count(*) AS with_copies
        FROM 'out/rafdb/manifest.parquet' WHERE split = 'train' GROUP BY label ORDER BY label
        """
    ).fetchall()

    counts = ferdata.open("out/rafdb").split("train").counts
    assert {label: total for label, _, total in rows} == counts
    assert any(images < total for _, images, total in rows)


def test_query_the_hugging_face_dataset() -> None:
    """Read the shards of all splits as one table, images as blobs."""
    import duckdb

    rows = duckdb.sql(
        """
        SELECT label, image.bytes AS png, landmarks[1][1] AS x
        FROM 'out/rafdb/hf/data/test-*.parquet' LIMIT 5
        """
    ).fetchall()

    assert len(rows) == 5
    assert all(png.startswith(b"\x89PNG") for _, png, _ in rows)
    assert all(0 < x < 32 for _, _, x in rows)
