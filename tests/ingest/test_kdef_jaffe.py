"""KDEF and JAFFE: what their file names say, poses, ratings, blank images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ferdata.faces.locate import locate_faces
from ferdata.faces.options import FaceOptions
from ferdata.ingest import ingest
from ferdata.ingest.datasets.jaffe import soft_label
from ferdata.labels import BASIC7, CANONICAL
from ferdata.synth import write_demo
from ferdata.synth.copies.jaffe import Jaffe
from ferdata.synth.copies.kdef import Kdef


@pytest.fixture(scope="module")
def kdef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return KDEF's official tree at full size, images left empty."""
    root = tmp_path_factory.mktemp("kdef")
    writer = Kdef()
    for folder in writer.folders("official"):
        (root / folder).mkdir(parents=True)
    for photograph in writer.plan("official", 1.0, 0):
        (root / writer._path("official", photograph)).touch()  # type: ignore[arg-type]
    averages = root / "KDEF_and_AKDEF/AKDEF"
    averages.mkdir()
    (averages / "FAFS.JPG").touch()
    return root


@pytest.mark.parametrize(("poses", "angles"), [("straight", 1), ("half", 3), ("all", 5)])
def test_poses_at_full_size(kdef: Path, poses: str, angles: int) -> None:
    manifest = ingest("kdef", kdef, poses=poses)
    assert Counter(manifest.column("label")) == Counter(dict.fromkeys(BASIC7.names, 140 * angles))
    assert manifest.provenance["ingest"]["count_check"] == "as published"
    assert not manifest.rejects
    assert len(set(manifest.column("subject"))) == 70
    assert len(set(manifest.column("pose"))) == angles


def test_both_sessions_are_one_person_and_af_is_fear(kdef: Path) -> None:
    rows = {row["sample_id"]: row for row in ingest("kdef", kdef).rows()}
    one, two = rows["kdef/AF01AFS"], rows["kdef/BF01AFS"]
    assert (one["subject"], two["subject"]) == ("F01", "F01")
    assert (one["session"], two["session"]) == ("A", "B")
    assert one["label"] == "fear"
    assert rows["kdef/AM02ANS"]["label"] == "anger"
    assert (one["gender"], rows["kdef/AM02ANS"]["gender"]) == ("female", "male")


def test_irregular_names_are_mended(kdef: Path) -> None:
    rows = {row["sample_id"]: row for row in ingest("kdef", kdef, poses="all").rows()}
    sad, surprised = rows["kdef/AF31SAHL"], rows["kdef/AM31SUHR"]
    assert sad["uri"].endswith("AF31V.JPG")
    assert (sad["label"], sad["pose"]) == ("sadness", "half left")
    assert surprised["uri"].endswith("AM31H.JPG")
    assert (surprised["label"], surprised["pose"]) == ("surprise", "half right")


def test_blank_images_are_rejected_by_their_pixels(tmp_path: Path) -> None:
    root = write_demo("kdef", tmp_path / "kdef", scale=0.002, quiet=True).root
    manifest = ingest("kdef", root, poses="all")
    located = locate_faces(manifest, FaceOptions("none"))
    assert [(each.sample_id, each.reason.partition(":")[0]) for each in located.rejects] == [
        ("kdef/AF01SUFR", "blank image")
    ]
    assert len(located) == len(manifest) - 1


def test_kaggle_has_lost_the_people(tmp_path: Path) -> None:
    root = write_demo("kdef", tmp_path / "kdef", layout="kaggle", scale=0.002, quiet=True).root
    manifest = ingest("kdef", root)
    assert set(manifest.column("subject")) == {None}
    assert all(manifest.column("session"))


def test_jaffe_at_full_size(tmp_path: Path) -> None:
    pictures = Jaffe().plan("official", 1.0, 0)
    for picture in pictures:
        (tmp_path / f"{picture.stem}.tiff").touch()
    manifest = ingest("jaffe", tmp_path)
    counts = Counter(manifest.column("label"))
    assert [counts[name] for name in BASIC7.names] == [30, 29, 32, 31, 30, 31, 30]
    assert sorted(Counter(manifest.column("subject")).values()) == sorted(
        [23, 22, 22, 20, 21, 21, 20, 21, 21, 22]
    )
    assert manifest.provenance["ingest"]["count_check"] == "as published"


def test_the_code_is_read_and_not_the_digit(tmp_path: Path) -> None:
    (tmp_path / "KM.SA5.13.tiff").touch()
    (tmp_path / "IMG_7.tiff").touch()
    manifest = ingest("jaffe", tmp_path)
    assert manifest.column("label") == ["sadness"]
    assert [each.reason.partition(":")[0] for each in manifest.rejects] == ["file name"]


def test_ratings_become_soft_labels(tmp_path: Path) -> None:
    for name in ("KM.HA1.4.tiff", "KM.NE1.1.tiff", "KM.FE1.22.tiff"):
        (tmp_path / name).touch()
    lines = ["N HAP SAD SUR ANG DIS FEA PIC", "1 5.00 1.00 2.00 1.00 1.00 1.00 KM-HA1"]
    lines += ["2 2.87 2.52 2.10 1.97 1.97 2.06 KM-NE1", "3 1 1 1 1 1 4 KM-AN9"]
    (tmp_path / "README").write_text("\n".join(lines) + "\n")
    rows = {row["sample_id"]: row for row in ingest("jaffe", tmp_path).rows()}
    shares = dict(zip(CANONICAL, rows["jaffe/KM.HA1.4"]["soft_label"], strict=True))
    assert shares == pytest.approx(
        {**dict.fromkeys(CANONICAL, 0), "happiness": 0.8, "surprise": 0.2}
    )
    assert rows["jaffe/KM.HA1.4"]["label"] == "happiness"
    assert rows["jaffe/KM.NE1.1"]["soft_label"] is None
    assert rows["jaffe/KM.FE1.22"]["soft_label"] is None
    assert soft_label((1, 1, 1, 1, 1, 1)) is None
