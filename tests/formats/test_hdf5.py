from __future__ import annotations

from dataclasses import fields

import h5py
import numpy as np
import pytest

from ferdata.formats.content import RowBatch
from ferdata.formats.dummies import cut, dummy_rows, dummy_spec
from ferdata.formats.encoding import decode
from ferdata.formats.hdf5 import ALIGNMENT, Hdf5ShardWriter


def write(path, spec):
    rows = dummy_rows(spec)
    with Hdf5ShardWriter(path, spec) as writer:
        for batch in cut(rows, 8):
            writer.append(batch)
    return rows


@pytest.mark.parametrize("channels", [1, 3])
def test_every_array_can_be_mapped(channels, tmp_path):
    spec = dummy_spec(channels=channels)
    rows = write(tmp_path / "s.h5", spec)
    names = ("image", "label", "soft_label", "landmarks", "box", "valence", "arousal")
    with h5py.File(tmp_path / "s.h5", "r") as file:
        places = {n: (file[n].id.get_offset(), file[n].dtype, file[n].shape) for n in names}
        assert all(file[n].chunks is None for n in file)
        strings = {n: file[n].asstr()[:].tolist() for n in file if n not in names}
    for name, (offset, dtype, shape) in places.items():
        mapped = np.memmap(tmp_path / "s.h5", dtype, "r", offset, shape)
        expected = getattr(rows, "pixels" if name == "image" else name)
        assert offset % ALIGNMENT == 0
        assert mapped.dtype == expected.dtype
        np.testing.assert_array_equal(mapped, expected)
    assert strings.keys() == {f.name for f in fields(RowBatch) if "Sequence" in str(f.type)}
    assert strings["operations"] == rows.operations


@pytest.mark.parametrize("rows", [1, 20])
@pytest.mark.parametrize("channels", [1, 3])
def test_png_images_are_the_pixels(rows, channels, tmp_path):
    spec = dummy_spec(rows=rows, encoding="png", channels=channels)
    content = write(tmp_path / "s.h5", spec)
    with h5py.File(tmp_path / "s.h5", "r") as file:
        images = [decode(data, channels) for data in file["image"][:]]
    np.testing.assert_array_equal(images, content.pixels)


def test_root_attributes(tmp_path):
    write(tmp_path / "s.h5", dummy_spec())
    with h5py.File(tmp_path / "s.h5", "r") as file:
        attributes = dict(file.attrs)
        assert file.userblock_size == 0
    assert attributes["format"] == "ferdata-h5/1"
    assert attributes["landmark_scheme"] == "five"
    assert attributes["plan_sha256"] == "ab" * 32
    assert '"contempt"' not in attributes["label_space"]


def test_without_landmarks_the_array_is_there_and_empty(tmp_path):
    write(tmp_path / "s.h5", dummy_spec(landmark_scheme=None, points=0))
    with h5py.File(tmp_path / "s.h5", "r") as file:
        assert file["landmarks"].shape == (20, 0, 2)
        assert file.attrs["landmark_scheme"] == ""


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_hugging_face_reads_our_hdf5(encoding, tmp_path, offline_datasets):
    spec = dummy_spec(encoding=encoding)
    rows = write(tmp_path / "s.h5", spec)
    data = offline_datasets.load_dataset(
        "hdf5", data_files=str(tmp_path / "s.h5"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(data) == spec.rows
    for name in ("sample_id", "dataset", "subject", "parent_id", "operations"):
        assert data[name][:] == getattr(rows, name)
    assert data["label"][:] == rows.label.tolist()
    np.testing.assert_array_equal(data.with_format("numpy")["box"][:], rows.box)
    np.testing.assert_array_equal(data.with_format("numpy")["landmarks"][:], rows.landmarks)
    if encoding == "raw":
        np.testing.assert_array_equal(data.with_format("numpy")["image"][:], rows.pixels)
    else:
        assert bytes(data[0]["image"]) == rows.encoded("png")[0]
