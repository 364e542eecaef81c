"""KDEF: its file names, poses, averages, blank images, copies without subjects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from support.trees import kinds, labels, rows, touch

from ferdata.core.errors import LabelError, LayoutError
from ferdata.core.labels import BASIC7
from ferdata.faces.locate import locate_faces
from ferdata.faces.options import FaceOptions
from ferdata.ingesters import detect, ingest
from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.kdef.synthetic import BLANK, Kdef, photograph_path


def empty_copy(root: Path, layout: str) -> Path:
    """Write all files of a copy at full size, empty: ingest opens no images."""
    return touch(root, *(photograph_path(layout, each) for each in Kdef().plan(layout, 1.0, 0)))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_copy(tmp_path_factory.mktemp("kdef"), "official")


@pytest.mark.parametrize(("poses", "angles"), [("straight", 1), ("half", 3), ("all", 5)])
def test_poses_at_full_size(full: Path, poses: str, angles: int) -> None:
    manifest = ingest("kdef", full, poses=poses)
    assert Counter(manifest.column("label")) == Counter(dict.fromkeys(BASIC7.names, 140 * angles))
    assert manifest.provenance["ingest"]["count_check"] == "as published"
    assert manifest.provenance["ingest"]["suspicions"] == []
    assert not manifest.rejects
    assert set(Counter(manifest.column("subject")).values()) == {14 * angles}
    assert len(set(manifest.column("subject"))) == 70
    assert len(set(manifest.column("pose"))) == angles


def test_both_sessions_are_one_subject_and_af_is_fear(full: Path) -> None:
    found = rows(ingest("kdef", full))
    one, two = found["AF01AFS"], found["BF01AFS"]
    assert (one["subject"], two["subject"]) == ("F01", "F01")
    assert (one["session"], two["session"]) == ("A", "B")
    assert (one["label"], one["label_native"], one["pose"]) == ("fear", "AF", "straight")
    assert (one["gender"], found["AM02ANS"]["gender"]) == ("female", "male")
    expressions = ("fear", "anger", "disgust", "happiness", "neutral", "sadness", "surprise")
    for letters, label in zip(("AF", "AN", "DI", "HA", "NE", "SA", "SU"), expressions, strict=True):
        assert found[f"AM02{letters}S"]["label"] == label


def test_irregular_names_are_fixed(full: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = rows(ingest("kdef", full, poses="all"))
    sad, surprised = found["AF31SAHL"], found["AM31SUHR"]
    assert sad["uri"] == "AF31/AF31V.JPG"
    assert (sad["label"], sad["pose"]) == ("sadness", "half left")
    assert surprised["uri"] == "AM31/AM31H.JPG"
    assert (surprised["label"], surprised["pose"]) == ("surprise", "half right")
    assert "2 files have an irregular name" in caplog.text


def test_averages_and_other_poses_are_counted_and_no_rejects(
    full: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = ingest("kdef", full)
    assert "70 averaged faces of AKDEF are ignored" in caplog.text
    ignored = manifest.provenance["ingest"]["ignored"]
    assert ignored["images in other poses than --poses straight"] == 3920
    assert not manifest.rejects
    assert "AKDEF" in " ".join(detect(full)[0].evidence)
    with pytest.raises(LayoutError):
        ingest("kdef", full / "KDEF_and_AKDEF/AKDEF")


def test_averages_among_the_photographs(tmp_path: Path) -> None:
    touch(tmp_path, "AF01AFS.JPG", "AM01AFS.JPG", "FAFS.JPG", "FAHR.JPG")
    manifest = ingest("kdef", tmp_path)
    assert manifest.column("sample_id") == ["kdef/AF01AFS", "kdef/AM01AFS"]
    assert not manifest.rejects
    ((rule, count),) = manifest.provenance["ingest"]["ignored"].items()
    assert rule.startswith("averaged faces")
    assert count == 2


def test_names_that_break_the_rule(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ["AF01/AF01AFS.JPG", "AF01/AF01ANX.JPG", "AF01/AF36ANS.JPG", "AF01/af01hAs.jpg"]
    touch(tmp_path, *names, "AF02/AF01AFS.JPG", "AF02/AF03SUS.JPG")
    manifest = ingest("kdef", tmp_path)
    assert set(labels(manifest)) == {"AF01AFS", "AF01HAS", "AF03SUS"}
    assert kinds(manifest) == ["duplicate id", "file name", "file name"]
    assert [each.sample_id for each in manifest.rejects] == ["kdef/AF01AFS", "", ""]
    # AF02/AF01AFS.JPG and AF02/AF03SUS.JPG
    assert "2 files lie in the folder of another session" in caplog.text


def test_parts_of_one_copy_and_two_copies(tmp_path: Path) -> None:
    touch(tmp_path, "one/AF01/AF01AFS.JPG", "one/AF01/AF01ANS.JPG", "two/AM01/AM01AFS.JPG")
    assert len(ingest("kdef", tmp_path)) == 3
    touch(tmp_path, "two/AF01/AF01AFS.JPG", "two/AF01/AF01ANS.JPG")
    with pytest.raises(LayoutError, match="contains 2 copies of kdef"):
        ingest("kdef", tmp_path)
    assert len(ingest("kdef", tmp_path / "two")) == 3


def test_a_few_images_of_a_talk_are_not_taken_for_the_dataset(tmp_path: Path) -> None:
    images = [f"data/KDEF/AF{n:02d}/AF{n:02d}AFS.JPG" for n in range(1, 8)]
    touch(tmp_path, *images, "slides/AF01AFS.JPG", "slides/AF02AFS.JPG")
    assert [each.confidence for each in detect(tmp_path)] == [0.9, 0.6]
    manifest = ingest("kdef", tmp_path)
    assert manifest.roots["kdef"].name == "KDEF"
    assert len(manifest) == 7


def test_class_folders_and_names_must_agree(tmp_path: Path) -> None:
    touch(tmp_path, "train/afraid/AF01AFS.JPG", "train/angry/AF01ANS.JPG", "test/sad/BM02SAS.JPG")
    # The well-known trap: AF taken for angry.
    touch(tmp_path, "train/angry/AF02AFS.JPG", "test/bored/AF03AFS.JPG", "test/sad/x.JPG")
    manifest = ingest("kdef", tmp_path)
    assert detect(tmp_path)[0].name == "class-folders"
    assert labels(manifest) == {"AF01AFS": "fear", "AF01ANS": "anger", "BM02SAS": "sadness"}
    assert manifest.column("subject") == ["F01", "F01", "M02"]
    assert kinds(manifest) == ["folder and name disagree", "label folder bored", "file name"]
    assert manifest.rejects[0].reason.endswith("folder anger, name fear (AF)")


def test_blank_images_are_rejected_by_their_pixels(tmp_path: Path) -> None:
    root = write_demo("kdef", tmp_path / "kdef", scale=0.002, quiet=True).root
    manifest = ingest("kdef", root, poses="all")
    located = locate_faces(manifest, FaceOptions("none"))
    assert kinds(located) == ["blank image"]
    assert located.rejects[0].sample_id == "kdef/AF01SUFR"
    assert len(located) == len(manifest) - 1


def test_the_full_copy_has_the_ten_blank_images(full: Path) -> None:
    assert len(BLANK) == 10
    assert set(labels(ingest("kdef", full, poses="all"))) >= BLANK
    assert not BLANK & set(labels(ingest("kdef", full)))


def test_kaggle_has_lost_the_subjects(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = empty_copy(tmp_path / "kaggle", "kaggle")
    manifest = ingest("kdef", root, poses="straight")
    assert len(manifest) == 2938
    assert set(manifest.column("subject")) == {None}
    assert set(manifest.column("pose")) == {None}
    assert len(set(manifest.column("session"))) == 140
    assert "a subject-independent split is impossible" in caplog.text
    assert "--poses straight has no effect" in caplog.text
    assert manifest.provenance["ingest"]["suspicions"] == []


def test_numbers_that_do_not_recur_are_hardly_kdef(tmp_path: Path) -> None:
    folders = ("afraid", "angry", "disgust", "happy", "neutral", "sad", "surprised")
    for number, folder in enumerate(folders):
        touch(tmp_path, f"{folder}/{number}_1.jpg", f"{folder}/{number}_2.jpg")
    assert detect(tmp_path) == []
    with pytest.raises(LayoutError, match="What speaks for it is not enough: 14 files named like"):
        ingest("kdef", tmp_path)


def test_kaggle_with_foreign_folders(tmp_path: Path) -> None:
    folders = ("afraid", "angry", "disgust", "happy", "neutral", "sad", "surprised")
    touch(tmp_path, *(f"{folder}/{n}_1.jpg" for folder in folders for n in range(6)))
    touch(tmp_path, "angry/1_1.png", "angry/scan.jpg", "contempt/4_1.jpg")
    manifest = ingest("kdef", tmp_path)
    assert len(manifest) == 42
    assert kinds(manifest) == ["duplicate id", "file name", "label folder contempt"]
    uris = ["angry/1_1.png", "angry/scan.jpg", "contempt/4_1.jpg"]
    assert [each.uri for each in manifest.rejects] == uris
    touch(tmp_path, *(f"bored/{n}_1.jpg" for n in range(5)))
    with pytest.raises(LabelError, match=r"bored/0_1.jpg is in no class folder"):
        ingest("kdef", tmp_path)
