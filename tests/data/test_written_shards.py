"""What the shard writer writes is what the reader gives back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ferdata.core.labels import LabelSpace
from ferdata.data import FIELDS, SplitArrays
from ferdata.formats.content import RowBatch, ShardSpec
from ferdata.formats.hdf5 import Hdf5ShardWriter

SPACE = LabelSpace("basic3", ("anger", "fear", "neutral"))
PLAN = "ef" * 32
ROWS = 9


def write(root, encoding, channels, points):
    spec = ShardSpec(
        rows=ROWS,
        height=24,
        width=18,
        channels=channels,
        encoding=encoding,
        label_space=SPACE,
        landmark_scheme="five" if points else None,
        points=points,
        split="train",
        attributes={"plan_sha256": PLAN},
    )
    generator = np.random.default_rng(0)
    columns = {
        name: generator.random((ROWS, *shape)).astype(dtype)
        for name, (shape, dtype) in spec.columns().items()
    }
    columns["label"] = np.arange(ROWS) % 3
    columns |= {
        name: [f"{name} ä {row}" for row in range(ROWS)]
        for name in ("sample_id", "dataset", "subject", "parent_id", "operations")
    }
    pixels = generator.integers(0, 256, (ROWS, 24, 18, channels), dtype=np.uint8)
    for row, image in enumerate(pixels):
        image[: 2 * row] = row  # so that the PNG files differ in length
    (root / "hdf5").mkdir(parents=True)
    with Hdf5ShardWriter(root / "hdf5" / "a.h5", spec) as writer:
        writer.append(RowBatch(pixels=pixels, **columns))
    facts = {
        "format": "ferdata-build/2",
        "name": "mini",
        "plan_sha256": PLAN,
        "label_space": {"name": SPACE.name, "names": SPACE.names},
        "image": {"height": 24, "width": 18, "channels": channels, "encoding": encoding},
        "landmarks": {"scheme": spec.landmark_scheme, "points": points},
        "splits": {"train": {"rows": ROWS, "shards": ["hdf5/a.h5"]}},
    }
    (root / "build.json").write_text(json.dumps(facts))
    return {"image": pixels, "index": np.arange(ROWS), **columns}


@pytest.mark.parametrize("rows", [range(ROWS), [7, 0, 3]])
@pytest.mark.parametrize("points", [0, 5])
@pytest.mark.parametrize(("encoding", "channels"), [("raw", 3), ("raw", 1), ("png", 3), ("png", 1)])
def test_every_field_comes_back(tmp_path, encoding, channels, points, rows):
    written = write(tmp_path / "out", encoding, channels, points)
    read = SplitArrays(tmp_path / "out", "train").gather(rows, FIELDS)
    for field, values in read.items():
        expected = [written[field][row] for row in rows]
        np.testing.assert_array_equal(values, np.asarray(expected), err_msg=field)
        if not isinstance(values, list):
            assert values.dtype == written[field].dtype


def test_jpeg(tmp_path):
    written = write(tmp_path / "out", "jpeg", 3, 0)["image"]
    read = SplitArrays(tmp_path / "out", "train").gather(range(ROWS))["image"]
    assert read.shape == written.shape
    assert np.abs(read.astype(int) - written).mean() < 60  # noise, which JPEG does not keep
