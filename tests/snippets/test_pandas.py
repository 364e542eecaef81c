from __future__ import annotations

import io

import ferdata


def test_manifest() -> None:
    """Count images by split and class with pandas."""
    import pandas as pd

    manifest = pd.read_parquet("out/rafdb/manifest.parquet")
    table = manifest.pivot_table(
        index="label", columns="split", values="sample_id", aggfunc="count"
    )

    build = ferdata.open("out/rafdb")
    assert table["test"].to_dict() == {
        name: count for name, count in build.split("test").counts.items() if count
    }


def test_images_of_the_hugging_face_dataset() -> None:
    """Read images from its Parquet files with pandas and Pillow."""
    import pandas as pd
    from PIL import Image

    rows = pd.read_parquet("out/rafdb/hf/data/test-00000-of-00001.parquet")
    image = Image.open(io.BytesIO(rows["image"][0]["bytes"]))

    assert image.size == (32, 32)
    assert len(rows["landmarks"][0]) == 37
    assert rows["label"].between(0, 6).all()


def test_manifest_of_a_build() -> None:
    """Get the manifest of an open build as a DataFrame."""
    frame = ferdata.open("out/rafdb").manifest.to_pandas()

    copies = frame[frame["parent_id"].notna()]
    assert set(copies["split"]) == {"train"}
    assert set(copies["parent_id"]) <= set(frame["sample_id"])
