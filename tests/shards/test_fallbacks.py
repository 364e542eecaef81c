"""Builds that can't do as asked: they stop, or record what they did instead."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.core.errors import ModelFileError
from ferdata.faces.detectors.model_file import ModelFile
from ferdata.ingesters.demo import write_demo
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.verify import verify

SERIAL = Execution(executor="serial", quiet=True)
SPLIT = "stratified:1:1:1"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a synthetic JAFFE; never write into it."""
    return write_demo("jaffe", tmp_path_factory.mktemp("data") / "jaffe", scale=0.1).root


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise ModelFileError("no model. Run: pip install 'ferdata[model]'.")

    monkeypatch.setattr(ModelFile, "fetch", fail)


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, words), "--executor", "serial"])
    return result.exit_code, result.stdout + str(result.exception or "")


def test_photographs_are_not_left_unaligned_because_a_model_is_missing(
    no_model: None, photographs: Path, tmp_path: Path
) -> None:
    words = ["build", "jaffe", "--data", photographs, "--out", tmp_path / "out", "--split", SPLIT]
    code, text = run(*words, "--allow-group-leak")
    assert code != 0
    assert "pip install 'ferdata[model]'" in text
    assert "--landmarks none --align none" in text
    assert not (tmp_path / "out" / "build.json").exists()
    on_purpose = ["--landmarks", "none", "--align", "none"]
    code, text = run(*words, "--allow-group-leak", *on_purpose)
    assert code == 0
    assert "note " not in text


def test_crops_that_are_to_be_aligned_need_the_model_too(
    no_model: None, demo_rafdb: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match="--align none"):
        build_shards("rafdb", demo_rafdb, tmp_path, BuildOptions(align="five"), SERIAL)


def test_crops_are_built_without_the_model_and_every_record_says_so(
    no_model: None, demo_rafdb: Path, tmp_path: Path
) -> None:
    note = "mediapipe could not run (no model file): no landmarks were detected"
    code, text = run("build", "rafdb", "--data", demo_rafdb, "--out", tmp_path, "--size", 32)
    assert code == 0
    assert f"note       {note}" in text
    assert note in (tmp_path / "hf" / "README.md").read_text(encoding="utf-8")
    report = verify(tmp_path, quiet=True)
    assert report.ok
    assert report.notes == (note,)


def test_single_photographs_without_a_face_are_counted(
    detectable: Path, photographs: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(photographs, tmp_path / "data"))
    images = sorted(data.rglob("*.tiff"))
    for path in images[:2]:
        cv2.imwrite(str(path), np.random.default_rng(0).integers(60, 90, (256, 256), np.uint8))
    options = BuildOptions(
        split=SPLIT, allow_group_leak=True, duplicates="keep", size=32, formats=("hdf5",)
    )
    report = build_shards("jaffe", data, tmp_path / "out", options, SERIAL)
    note = (
        f"2 of {len(images)} photographs of jaffe have no usable landmarks and are placed by the "
        "median of the others"
    )
    assert report.record.notes == (note,)
    assert note in verify(tmp_path / "out", quiet=True).notes


def test_a_split_that_can_not_keep_subjects_apart_is_noted(tmp_path: Path) -> None:
    copy = write_demo("fer2013", tmp_path / "data", layout="class-folders", scale=0.006, quiet=True)
    data = copy.root
    options = BuildOptions(landmarks="none", size=32, formats=("hdf5",))
    report = build_shards("fer2013", data, tmp_path / "out", options, SERIAL)
    (note,) = report.record.notes
    assert note.startswith("the split of fer2013 is by class only, since not every image has a")
    assert note in verify(tmp_path / "out", quiet=True).notes


def test_classes_that_stay_below_their_target_are_noted(demo_rafdb: Path, tmp_path: Path) -> None:
    options = BuildOptions(
        landmarks="none", size=32, formats=("hdf5",), augment="balance", max_copies=1
    )
    report = build_shards("rafdb", demo_rafdb, tmp_path, options, SERIAL)
    train = report.record.summary.after["train"]
    largest = max(train.values())
    short = {name: largest - count for name, count in train.items() if count < largest}
    assert short
    assert [note for note in report.record.notes if "short of its target" in note] == [
        f"{name} is {missing:,} images short of its target of {largest:,}, since max_copies is 1"
        for name, missing in short.items()
    ]
    assert set(verify(tmp_path, quiet=True).notes) == set(report.record.notes)
