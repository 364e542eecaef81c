"""Every export is opened by the library that it is for, and compared with the build row by row."""

import json
import os
import struct
import subprocess
from pathlib import Path

import cv2
import datasets
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from exports.conftest import TEXTS

from ferdata.exports import export_build

PEERS = Path(__file__).parents[1] / "support" / "peers"


def image(path: str | Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def texts(values) -> list[str]:
    return ["" if pd.isna(value) else value for value in values]


def assert_equal(found: dict, split: dict) -> None:
    """Compare columns with those of the build; unknown texts are null, unknown numbers NaN."""
    for name, values in found.items():
        if name in (*TEXTS, "label_name"):
            assert texts(values) == list(split[name]), name
        else:
            array = np.array(values, split[name].dtype).reshape(split[name].shape)
            np.testing.assert_array_equal(array, split[name], name)


def test_csv_with_pandas(build, expected, tmp_path):
    export_build(build, "csv", tmp_path / "csv")
    labels = pd.read_csv(tmp_path / "csv/labels.csv")
    landmarks = pd.read_csv(tmp_path / "csv/landmarks.csv", index_col="file")
    assert list(labels["file"]) == list(landmarks.index)
    for split, rows in expected.items():
        table = labels[labels.split == split]
        columns = {name: table[name] for name in ("label", "label_name", "valence", *TEXTS)}
        columns["image"] = [image(tmp_path / "csv" / file) for file in table["file"]]
        columns["landmarks"] = landmarks.loc[table["file"]].to_numpy(np.float32)
        columns["soft_label"] = table.filter(regex="^soft_").to_numpy(np.float32)
        columns["box"] = table.filter(regex="^box_").to_numpy(np.float32)
        assert_equal(columns, rows)


def test_parquet_with_pandas_and_datasets(build, expected, tmp_path):
    export_build(build, "parquet", tmp_path / "parquet")
    for split, rows in expected.items():
        file = tmp_path / "parquet" / f"{split}.parquet"
        table = pd.read_parquet(file)
        columns = {name: table[name] for name in ("label", "label_name", *TEXTS)}
        columns["landmarks"] = np.stack([np.stack(each) for each in table["landmarks"]])
        columns["soft_label"] = np.stack(table["soft_label"])
        columns["valence"], columns["arousal"] = table["valence"], table["arousal"]
        assert table["box"].isna().all()
        assert_equal(columns, rows)
        loaded = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path / "cache"))
        assert loaded.features["label"].names[0] == "anger"
        assert_equal({"image": [np.asarray(each) for each in loaded["image"]]}, rows)


def test_parquet_with_polars_and_duckdb(build, expected, tmp_path):
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    export_build(build, "parquet", tmp_path / "parquet")
    file = str(tmp_path / "parquet/train.parquet")
    table = polars.read_parquet(file)
    landmarks = np.array(table["landmarks"].to_list(), np.float32)
    columns = {name: table[name].to_list() for name in ("label", "label_name", *TEXTS)}
    assert_equal({"landmarks": landmarks, **columns}, expected["train"])
    relation = duckdb.read_parquet(file).project("label, label_name, sample_id, landmarks")
    label, name, sample_id, landmarks = zip(*relation.fetchall(), strict=True)
    columns = {"label": label, "label_name": name, "sample_id": sample_id, "landmarks": landmarks}
    assert_equal(columns, expected["train"])


def test_image_folder_with_torchvision_and_timm(build, expected, tmp_path):
    from timm.data import ImageDataset
    from torchvision.datasets import ImageFolder

    out = tmp_path / "images"
    export_build(build, "imagefolder", out)
    metadata = {split: pq.read_table(out / split / "metadata.parquet") for split in expected}
    for split, rows in expected.items():
        folder = ImageFolder(str(out / split))
        place = {Path(path).name: row for row, (path, _) in enumerate(folder.samples)}
        files = metadata[split]["file_name"].to_pylist()
        order = [place[Path(file).name] for file in files]
        columns = {
            "image": [np.asarray(folder[row][0]) for row in order],
            "label_name": [folder.classes[folder.targets[row]] for row in order],
        }
        assert_equal(columns, rows)
        read = ImageDataset(str(out / split), class_map=str(out / "classes.txt"))
        by_name = {Path(read.filename(row)).name: read[row] for row in range(len(read))}
        pairs = [by_name[Path(file).name] for file in files]
        columns = {"image": [np.asarray(each) for each, _ in pairs], "label": [k for _, k in pairs]}
        assert_equal(columns, rows)


def test_image_folder_with_datasets(build, expected, tmp_path):
    out = tmp_path / "images"
    export_build(build, "imagefolder", out)
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == set(expected)
    for split, rows in expected.items():
        part = loaded[split]
        columns = {name: part[name] for name in ("label", "label_name", "landmarks", *TEXTS)}
        columns["image"] = [np.asarray(each) for each in part["image"]]
        by_id = {name: row for row, name in enumerate(part["sample_id"])}
        order = [by_id[name] for name in rows["sample_id"]]
        assert part.features["label"].names[6] == "surprise"
        assert_equal(
            {name: [column[row] for row in order] for name, column in columns.items()}, rows
        )


def test_an_empty_class_keeps_its_number(expected, tmp_path):
    from support.builds import write_build
    from torchvision.datasets import ImageFolder

    build = write_build(tmp_path / "build", {"train": [0, 1, 2, 3, 4, 5, 6], "test": [0, 6]})
    export_build(build, "imagefolder", tmp_path / "images")
    test = ImageFolder(str(tmp_path / "images/test"), allow_empty=True)
    assert [test.classes[k] for k in test.targets] == ["anger", "surprise"]
    assert test.class_to_idx == ImageFolder(str(tmp_path / "images/train")).class_to_idx


def test_webdataset(build, expected, tmp_path):
    wds = pytest.importorskip("webdataset")
    out = tmp_path / "wds"
    export_build(build, "webdataset", out, shard_bytes=30_000)
    for split, rows in expected.items():
        shards = sorted(map(str, out.glob(f"{split}-*.tar")))
        samples = list(wds.WebDataset(shards, shardshuffle=False).decode("rgb8"))
        about = [sample["json"] for sample in samples]
        columns = {name: [each[name] for each in about] for name in ("label_name", *TEXTS)}
        columns["landmarks"] = [each["landmarks"] for each in about]
        columns["soft_label"] = [each["soft_label"] for each in about]
        columns["image"] = [sample["png"] for sample in samples]
        columns["label"] = [sample["cls"] for sample in samples]
        assert {each["split"] for each in about} == {split}
        assert_equal(columns, rows)
        files = {"data_files": {split: shards}, "cache_dir": str(tmp_path / "cache")}
        loaded = datasets.load_dataset("webdataset", split=split, **files)
        columns = {"label": loaded["cls"], "image": [np.asarray(each) for each in loaded["png"]]}
        assert_equal(columns, rows)
    assert len(list(out.glob("train-*.tar"))) > 1


def test_litdata_as_its_format_says(build, expected, tmp_path):
    """An item by hand: LitData needs an environment of its own, see the next test."""
    export_build(build, "litdata", tmp_path / "lit")
    index = json.loads((tmp_path / "lit/test/index.json").read_text())
    assert [each["chunk_size"] for each in index["chunks"]] == [8]
    data = (tmp_path / "lit/test/chunk-0-0.bin").read_bytes()
    assert len(data) == index["chunks"][0]["chunk_bytes"]
    count, *offsets = struct.unpack("<10I", data[:40])
    assert (count, offsets[0], offsets[-1]) == (8, 40, len(data))
    fields = len(index["config"]["data_format"])
    sizes = struct.unpack(f"<{fields}I", data[40 : 40 + 4 * fields])
    assert 40 + 4 * fields + sum(sizes) == offsets[1]
    first = np.frombuffer(data[60 + 4 * fields : 40 + 4 * fields + sizes[0]], np.uint8)
    np.testing.assert_array_equal(first, expected["test"]["image"][0].reshape(-1))


def peer(variable: str) -> str:
    """Return the interpreter of an environment in which a library lives that can't share ours."""
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no interpreter; the library can't share this environment")
    return python


def run(python: str, script: str, *arguments: object) -> str:
    # Without the paths of this environment: the other one has packages of its own.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [python, str(PEERS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_litdata(build, expected, tmp_path):
    python = peer("FERDATA_LITDATA_PYTHON")
    export_build(build, "litdata", tmp_path / "lit", shard_bytes=30_000)
    for split, rows in expected.items():
        run(python, "read_litdata.py", tmp_path / "lit" / split, tmp_path / f"{split}.npz")
        columns = dict(np.load(tmp_path / f"{split}.npz"))
        assert set(columns.pop("split")) == {split}
        assert_equal(columns, rows)


def test_fiftyone(build, expected, tmp_path):
    python = peer("FERDATA_FIFTYONE_PYTHON")
    export_build(build, "fiftyone", tmp_path / "fo")
    found = json.loads(run(python, "read_fiftyone.py", tmp_path / "fo").splitlines()[-1])
    assert found["classes"][0] == "anger"
    assert found["train"] == len(expected["train"]["label"])
    for split, rows in expected.items():
        part = [row for row in found["rows"] if split in row["tags"]]
        columns = {name: [row[name] for row in part] for name in (*TEXTS, "soft_label")}
        columns["label_name"] = [row["label"] for row in part]
        columns["image"] = [image(row["file"]) for row in part]
        assert_equal(columns, rows)
        copies = ["augmented" in row["tags"] for row in part]
        assert copies == [bool(parent) for parent in rows["parent_id"]]
        points = np.array([row["points"] for row in part]) * 32 - 0.5
        np.testing.assert_allclose(points, rows["landmarks"], atol=1e-5)
