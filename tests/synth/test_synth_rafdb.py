"""The synthetic RAF-DB: exact files, counts, layouts, reruns."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferdata.core.errors import LayoutError, OptionError, UnknownNameError
from ferdata.core.files import DEMO_MARKER
from ferdata.faces.schemes import FACEPP37
from ferdata.ingesters import dataset_info
from ferdata.ingesters.demo import DemoCopy, count_images, write_demo
from ferdata.ingesters.rafdb.annotation import SUFFIXES, read_annotation
from ferdata.ingesters.rafdb.synthetic import RafDb, RafDbCompound, align, facepp37, similarity
from ferdata.ingesters.synthetic import writers

# Also in the dataset's info; repeated here, so that a slip there does not go unseen.
TRAIN = {"surprise": 1290, "fear": 281, "disgust": 717, "happiness": 4772, "sadness": 1982,
         "anger": 705, "neutral": 2524}  # fmt: skip
TEST = {"surprise": 329, "fear": 74, "disgust": 160, "happiness": 1185, "sadness": 478,
        "anger": 162, "neutral": 680}  # fmt: skip


def tree(root: Path) -> dict[str, bytes]:
    """Return every file below a folder, by relative posix path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_full_scale_has_the_real_counts_and_names():
    samples = RafDb().plan("official", 1.0, seed=0)
    assert count_images(samples) == {"train": TRAIN, "test": TEST}
    assert [samples[0].stem, samples[12270].stem] == ["train_00001", "train_12271"]
    assert [samples[12271].stem, samples[-1].stem] == ["test_0001", "test_3068"]
    assert {sample.label: sample.code for sample in samples} == {
        "surprise": 1, "fear": 2, "disgust": 3, "happiness": 4, "sadness": 5, "anger": 6,
        "neutral": 7,
    }  # fmt: skip
    codes = [sample.code for sample in samples[:12271]]
    assert codes != sorted(codes)


def test_full_scale_compound_list_has_the_real_length():
    writer = RafDbCompound()
    samples = writer.plan("official", 1.0, seed=0)
    assert [samples[0].stem, samples[3162].stem] == ["train_0001", "test_001"]
    assert len(samples) == 3162 + 792
    assert len(writer.label_list(samples)) == 70577  # bytes of a real list


@pytest.mark.parametrize("scale", [0.001, 0.02, 0.05, 0.5])
def test_scale_keeps_proportions_and_every_class(scale):
    counts = count_images(RafDb().plan("official", scale, seed=3))
    for split, real in (("train", TRAIN), ("test", TEST)):
        assert set(counts[split]) == set(real)
        for label, number in real.items():
            assert abs(counts[split][label] - max(1, number * scale)) <= 0.5


def test_seed_changes_the_order_only():
    one, two = RafDb().plan("official", 0.02, seed=0), RafDb().plan("official", 0.02, seed=1)
    assert count_images(one) == count_images(two)
    assert one != two


def test_official_tree_is_complete(official: DemoCopy):
    files = set(tree(official.root))
    stems = [sample.stem for sample in RafDb().plan("official", official.scale, official.seed)]
    expected = {DEMO_MARKER, "basic/EmoLabel/list_patition_label.txt"}
    for stem in stems:
        expected |= {
            f"basic/Image/aligned/{stem}_aligned.jpg",
            f"basic/Image/original/{stem}.jpg",
            f"basic/Annotation/manual/{stem}_manu_attri.txt",
            f"basic/Annotation/auto/{stem}_auto_attri.txt",
            f"basic/Annotation/boundingbox/{stem}_boundingbox.txt",
        }
    assert files == expected
    assert official.total == len(stems)


def test_label_list_bytes(official: DemoCopy):
    data = (official.root / "basic/EmoLabel/list_patition_label.txt").read_bytes()
    assert b"\r" not in data
    assert not data.endswith(b"\n")
    lines = data.decode("ascii").split("\n")
    assert len(lines) == official.total
    assert all(re.fullmatch(r"(train_\d{5}|test_\d{4})\.jpg [1-7]", line) for line in lines)
    splits = [line.split("_")[0] for line in lines]
    assert splits == sorted(splits, reverse=True)  # train before test


def test_annotation_bytes(official: DemoCopy):
    folder = official.root / "basic/Annotation"
    manual = (folder / "manual/train_00001_manu_attri.txt").read_bytes()
    point = rb"-?\d+\.\d{3}\t-?\d+\.\d{3}\r\n"
    assert re.fullmatch(rb"(" + point + rb"){5}[012]\r\n[012]\r\n[0-4]\r\n", manual)
    auto = (folder / "auto/train_00001_auto_attri.txt").read_bytes()
    assert re.fullmatch(rb"(-?\d+\.\d\t-?\d+\.\d\r\n){37}", auto)
    box = (folder / "boundingbox/train_00001_boundingbox.txt").read_bytes()
    assert re.fullmatch(rb"(\d+\.\d{6} ){4}", box)


def test_annotations_agree_with_each_other_and_the_image(official: DemoCopy):
    """Read back with the ingester's own parsers."""
    base = official.root / "basic"
    words = dataset_info("rafdb").attributes
    for path in sorted((base / "Annotation/manual").iterdir()):
        stem = path.name.removesuffix("_manu_attri.txt")
        values = {}
        for kind, suffix in SUFFIXES.items():
            file = base / f"Annotation/{kind}/{stem}{suffix}"
            values |= read_annotation(kind, file, words)
        five, auto = np.reshape(values["five_points"], (5, 2)), np.array(values["landmarks"])
        x1, y1, x2, y2 = values["box"]
        image = cv2.imread(str(base / f"Image/original/{stem}.jpg"))
        height, width = image.shape[:2]
        assert 150 <= min(width, height) <= max(width, height) <= 400
        np.testing.assert_allclose(FACEPP37.to_five(auto), five, atol=0.06)
        assert ((five >= (x1, y1)) & (five <= (x2, y2))).all()
        assert 0 <= x1 < x2 < width
        assert 0 <= y1 < y2 < height
        assert cv2.imread(str(base / f"Image/aligned/{stem}_aligned.jpg")).shape == (100, 100, 3)


def test_facepp37_order_mirrors():
    """In the scheme's order, the points of a mirrored face are the mirrored points."""
    samples = RafDb().plan("official", 0.001, 0)
    landmarks = RafDb().draw(samples[0], 0).landmarks
    from ferdata.faces.schemes import IBUG68

    mirrored = facepp37(IBUG68.mirror(landmarks, 400).astype(np.float32))
    np.testing.assert_allclose(mirrored, FACEPP37.mirror(facepp37(landmarks), 400), atol=1e-3)


def test_aligned_shows_the_original_upright():
    """Eyes level and where the template has them, up to the fit of three points."""
    for sample in RafDb().plan("official", 0.001, 0):
        face = RafDb().draw(sample, 0)
        five = face.five_points.astype(float)
        source = np.stack((five[0], five[1], five[3:].mean(axis=0)))
        matrix = similarity(source, np.array([[33.0, 39.0], [67.0, 39.0], [50.0, 76.0]]))
        eyes = five[:2] @ matrix[:, :2].T + matrix[:, 2]
        assert np.abs(eyes - [[33, 39], [67, 39]]).max() < 6
        assert align(face).shape == (100, 100, 3)


def test_similarity_recovers_a_known_transform():
    source = np.array([[0.0, 0.0], [3.0, 1.0], [1.0, 5.0]])
    matrix = np.array([[0.8, -0.6, 4.0], [0.6, 0.8, -2.0]]) * [[1.5, 1.5, 1.0]]
    target = source @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(similarity(source, target), matrix, atol=1e-12)


def test_kaggle_tables_and_folders_agree(kaggle: DemoCopy):
    for split, real in (("train", TRAIN), ("test", TEST)):
        data = (kaggle.root / f"{split}_labels.csv").read_text(encoding="ascii")
        header, *rows = data.splitlines()
        assert header == "image,label"
        for row in rows:
            name, code = row.split(",")
            assert re.fullmatch(rf"{split}_\d+_aligned\.jpg", name)
            assert (kaggle.root / "DATASET" / split / code / name).is_file()
        assert len(rows) == len(list((kaggle.root / "DATASET" / split).glob("*/*.jpg")))
        assert len(rows) == sum(max(1, int(n * kaggle.scale + 0.5)) for n in real.values())


def test_layouts_hold_the_same_aligned_images(official: DemoCopy, kaggle: DemoCopy):
    one = {Path(p).name: d for p, d in tree(official.root).items() if p.endswith("_aligned.jpg")}
    two = {Path(p).name: d for p, d in tree(kaggle.root).items() if p.endswith("_aligned.jpg")}
    assert one == two


def test_no_two_images_are_equal(official: DemoCopy):
    images = [data for path, data in tree(official.root).items() if "original" in path]
    assert len(set(images)) == len(images)


def test_two_workers_same_bytes(official: DemoCopy, tmp_path: Path):
    copy = write_demo("rafdb", tmp_path / "two", scale=official.scale, workers=2, quiet=True)
    assert tree(copy.root) == tree(official.root)


def test_rerun_touches_nothing(official: DemoCopy):
    def stamps() -> dict[Path, int]:
        return {p: p.stat().st_mtime_ns for p in official.root.rglob("*")}

    before = stamps()
    again = write_demo("rafdb", official.root, scale=official.scale, quiet=True)
    assert stamps() == before
    assert official.written
    assert not again.written
    assert again.counts == official.counts


def test_interrupted_copy_is_finished(official: DemoCopy, tmp_path: Path, monkeypatch):
    calls = []
    write_image = RafDb.write_image

    def fail_later(self, root, layout, image, seed):
        calls.append(image)
        if len(calls) > 5:
            raise KeyboardInterrupt
        write_image(self, root, layout, image, seed)

    out = tmp_path / "cut off"
    with monkeypatch.context() as patch:
        patch.setattr(RafDb, "write_image", fail_later)
        with pytest.raises(KeyboardInterrupt):
            write_demo("rafdb", out, scale=official.scale, quiet=True)
    assert json.loads((out / DEMO_MARKER).read_text())["complete"] is False
    assert write_demo("rafdb", out, scale=official.scale, quiet=True).written
    assert tree(out) == tree(official.root)


def test_refuses_foreign_folders(official: DemoCopy, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(LayoutError, match="not empty"):
        write_demo("rafdb", tmp_path, quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(LayoutError, match="another counts, scale, seed"):
        write_demo("rafdb", official.root, scale=0.01, seed=5, quiet=True)
    with pytest.raises(LayoutError, match="is a file"):
        write_demo("rafdb", tmp_path / "mine.txt", quiet=True)


def test_bad_calls(tmp_path: Path):
    with pytest.raises(UnknownNameError, match="Did you mean 'rafdb'"):
        write_demo("rafddb", tmp_path / "x")
    with pytest.raises(UnknownNameError, match="kaggle"):
        write_demo("rafdb", tmp_path / "x", layout="flat")
    for scale in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(OptionError, match="--scale"):
            write_demo("rafdb", tmp_path / "x", scale=scale)
    with pytest.raises(OptionError, match="--workers"):
        write_demo("rafdb", tmp_path / "x", workers=0)
    assert not (tmp_path / "x").exists()


def test_unwritable_place_is_a_clear_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    from ferdata.core.errors import BuildError

    with pytest.raises(BuildError, match="can't be written"):
        write_demo("rafdb", tmp_path / "file" / "inside", scale=0.001, quiet=True)


def test_path_with_spaces_and_letters(tmp_path: Path):
    out = tmp_path / "döner copy é"
    copy = write_demo("rafdb-compound", out, scale=0.001, quiet=True)
    assert copy.total == 22
    data = (out / "compound/EmoLabel/list_patition_label.txt").read_bytes()
    assert re.fullmatch(rb"((train_\d{4}|test_\d{3})\.jpg ([1-9]|1[01])\r\n){22}", data)
    assert (out / "compound/Image/aligned/test_001_aligned.jpg").is_file()


@pytest.mark.parametrize("name", sorted(writers()))
def test_contract_of_every_writer(name: str):
    """What any dataset's writer must do; a new one is tested the moment it is registered."""
    writer = writers()[name]
    assert writer.name == name
    assert writer.layouts
    samples = writer.plan("official", 0.01, seed=0)
    assert samples == writer.plan("official", 0.01, seed=0)
    assert len({sample.stem for sample in samples}) == len(samples)
    for layout in writer.layouts:
        for folder in writer.folders(layout):
            assert not Path(folder).is_absolute()
            assert ".." not in Path(folder).parts
