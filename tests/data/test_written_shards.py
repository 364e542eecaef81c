"""What the shard writer writes is what the reader returns."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.data import FIELDS, SplitArrays
from ferdata.formats.dummies import dummy_rows, dummy_spec
from ferdata.shards.dummies import write_dummy_build

ROWS = 9


def write(root, **changes):
    """Write a build of one shard; return the rows that it must give back."""
    write_dummy_build(root, shards={"train": [ROWS]}, formats=["hdf5"], **changes)
    rows = dummy_rows(dummy_spec(rows=ROWS, **changes))
    if changes.get("encoding") == "png":
        assert len({len(image) for image in rows.encoded("png")}) > 1
    return {"image": rows.pixels, "index": np.arange(ROWS), **vars(rows)}


@pytest.mark.parametrize("rows", [range(ROWS), [7, 0, 3]])
@pytest.mark.parametrize("scheme", [{"landmark_scheme": None, "points": 0}, {}], ids=["none", "5"])
@pytest.mark.parametrize(("encoding", "channels"), [("raw", 3), ("raw", 1), ("png", 3), ("png", 1)])
def test_every_field_comes_back(tmp_path, encoding, channels, scheme, rows):
    written = write(tmp_path / "out", encoding=encoding, channels=channels, **scheme)
    read = SplitArrays(tmp_path / "out", "train").gather(rows, FIELDS)
    for field, values in read.items():
        expected = [written[field][row] for row in rows]
        np.testing.assert_array_equal(values, np.asarray(expected), err_msg=field)
        if not isinstance(values, list):
            assert values.dtype == written[field].dtype


def test_jpeg(tmp_path):
    written = write(tmp_path / "out", encoding="jpeg")["image"]
    read = SplitArrays(tmp_path / "out", "train").gather(range(ROWS))["image"]
    assert read.shape == written.shape
    assert np.abs(read.astype(int) - written).mean() < 10
