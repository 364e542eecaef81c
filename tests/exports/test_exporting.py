"""What all exports have in common: complete or not there, equal bytes, terms, refusals."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.builds import write_build

import ferdata
from ferdata.core.errors import BuildError, OptionError, UnknownNameError
from ferdata.exports import ExportRecord, export_build
from ferdata.exports.contract import COLUMNS, ExportContent, ExportFormat, shortest
from ferdata.exports.listing import exports_markdown
from ferdata.exports.registry import EXPORTS

BY_NAME = pytest.mark.parametrize("to", list(EXPORTS))


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@BY_NAME
def test_equal_builds_give_equal_bytes(to, build, tmp_path, monkeypatch):
    export_build(build, to, tmp_path / "one")
    monkeypatch.setattr("time.time", lambda: 0.0)
    report = export_build(build, to, tmp_path / "two" / "deeper")
    first = hashes(tmp_path / "one")
    assert first == hashes(tmp_path / "two/deeper")
    assert report.files == len(first) > 3
    assert report.splits == {"train": 30, "validation": 7, "test": 8}
    text = (tmp_path / "one/README.md").read_text()
    assert str(tmp_path) not in text
    assert "so don't pass the images on" in text


@BY_NAME
def test_an_interrupted_export_leaves_nothing(to, build, tmp_path, monkeypatch):
    rows = ExportContent.rows

    def interrupted(self, split):
        yield from list(rows(self, split))[:3]
        raise KeyboardInterrupt

    monkeypatch.setattr(ExportContent, "rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_build(build, to, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_splits_and_copies(build, expected, tmp_path):
    report = export_build(build, "csv", tmp_path / "csv", splits="train", copies=False)
    labels = pd.read_csv(tmp_path / "csv/labels.csv")
    parents = expected["train"]["parent_id"]
    sources = [
        name
        for name, parent in zip(expected["train"]["sample_id"], parents, strict=True)
        if not parent
    ]
    assert list(labels["sample_id"]) == sources
    assert report.splits == {"train": 20}
    assert labels["parent_id"].isna().all()
    assert ExportRecord.open(tmp_path / "csv").copies is False


def test_force_replaces_an_export_and_nothing_else(build, tmp_path):
    out = tmp_path / "out"
    export_build(build, "csv", out)
    with pytest.raises(OptionError, match="replace it with --force"):
        export_build(build, "parquet", out)
    export_build(build, "parquet", out, force=True)
    assert not (out / "labels.csv").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    with pytest.raises(OptionError, match="holds no export; nothing was written"):
        export_build(build, "csv", mine, force=True)
    assert (mine / "thesis.tex").read_text() == "years of work"


def test_what_was_left_by_a_killed_export_is_replaced(build, tmp_path):
    partial = tmp_path / "out.partial"
    partial.mkdir()
    (partial / "notes.txt").write_text("not an export")
    with pytest.raises(BuildError, match="is in the way"):
        export_build(build, "parquet", tmp_path / "out")
    (partial / "notes.txt").rename(partial / ExportRecord.file_name)
    export_build(build, "parquet", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_python_and_its_refusals(build, tmp_path):
    report = ferdata.open(build).export("parquet", out=tmp_path / "one", splits=("test",))
    assert report == ferdata.export(
        build, "parquet", out=tmp_path / "two", splits="test"
    ).model_copy(update={"folder": report.folder, "example": report.example})
    refusals = {
        OptionError: [
            ({}, "to is missing; .* is a build, which is exported to csv, fiftyone"),
            ({"to": "onnx", "out": "x"}, "onnx is for runs; .* is a build"),
            ({"to": "csv", "opset": 20, "out": "x"}, "opset has no meaning here: .* is a build"),
            ({"to": "csv"}, "out is missing"),
            ({"to": "wds", "out": "x"}, "unknown export format 'wds'"),
        ],
        UnknownNameError: [({"to": "csv", "splits": "dev", "out": "x"}, "'dev'; expected one of")],
    }
    for kind, calls in refusals.items():
        for given, message in calls:
            with pytest.raises(kind, match=message):
                ferdata.export(build, **given)


def test_a_class_that_no_folder_can_be_named_after(tmp_path):
    from ferdata.core.labels import LabelSpace

    space = LabelSpace("mine", ("yes/no", "other"))
    build = write_build(tmp_path / "build", {"train": [0, 1]}, space=space)
    with pytest.raises(BuildError, match="class 'yes/no': no folder can have this name"):
        export_build(build, "imagefolder", tmp_path / "out")
    export_build(build, "csv", tmp_path / "csv")


def test_gray_images_and_no_landmarks(tmp_path):
    build = write_build(tmp_path / "build", {"train": [0, 1, 2]}, channels=1)
    for to in EXPORTS:
        export_build(build, to, tmp_path / to)
    assert not (tmp_path / "csv/landmarks.csv").exists()
    assert "landmarks" not in pd.read_parquet(tmp_path / "parquet/train.parquet")


def test_a_format_of_ones_own(build, tmp_path):
    def write(folder: Path, content: ExportContent) -> None:
        names = [row.name for split in content.splits for row in content.rows(split)]
        (folder / "names.json").write_text(json.dumps(names))

    EXPORTS.register("names")(ExportFormat("names", "names", write, "anyone", "{out} {split}"))
    try:
        report = ferdata.export(build, "names", out=tmp_path / "names")
    finally:
        EXPORTS.unregister("names")
    names = json.loads((tmp_path / "names/names.json").read_text())
    assert names[:2] == ["000000_spots-train_0", "000001_spots-train_1"]
    assert report.example == f"{tmp_path}/names train"


def test_shortest_numbers_read_back_the_same():
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    values[7, 1] = np.nan
    texts = json.loads(json.dumps(shortest(values)))
    assert texts[7][1] is None
    np.testing.assert_array_equal(np.array(texts, np.float32), values)
    assert shortest(np.float32(0.1)) == 0.1


def test_documentation_lists_what_each_format_holds():
    """If this fails: replace what follows the comment with `exports_markdown()`."""
    text = (Path(__file__).parents[2] / "docs/exports.md").read_text(encoding="utf-8")
    assert text.partition("exports_markdown() -->\n")[2] == exports_markdown()
    for each in EXPORTS.all():
        assert set(each.holds) <= set(COLUMNS)
