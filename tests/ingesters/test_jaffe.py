"""JAFFE: what its file names say, the viewers' ratings, nested and re-made copies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import pytest
from support.trees import kinds, labels, touch, write

from ferdata.core.errors import AnnotationError, LayoutError
from ferdata.core.labels import BASIC7, CANONICAL
from ferdata.ingesters import detect, ingest
from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.jaffe.ratings import RATED, soft_label
from ferdata.ingesters.jaffe.synthetic import Jaffe

HEADER = "#  HAP  SAD  SUR  ANG  DIS  FEA  PIC\n" + 40 * "-" + "\n"
NEUTRAL = "1 2.87 2.52 2.10 1.97 1.97 2.06 KM-NE1\n"


def soft_labels(root: Path) -> dict[str, dict[str, float] | None]:
    return {
        row["sample_id"].removeprefix("jaffe/"): row["soft_label"]
        and dict(zip(CANONICAL, row["soft_label"], strict=True))
        for row in ingest("jaffe", root).rows()
    }


def fractions(**shown: float) -> object:
    return pytest.approx({**dict.fromkeys(CANONICAL, 0), **shown})


def test_full_size(tmp_path: Path) -> None:
    names = [image.stem for image in Jaffe().plan("official", 1.0, 0)]
    touch(tmp_path, *(f"{name}.tiff" for name in names))
    manifest = ingest("jaffe", tmp_path)
    counts = Counter(manifest.column("label"))
    assert [counts[name] for name in BASIC7.names] == [30, 29, 32, 31, 30, 31, 30]
    subjects = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
    numbers = (23, 22, 22, 20, 21, 21, 20, 21, 21, 22)
    assert Counter(manifest.column("subject")) == dict(zip(subjects, numbers, strict=True))
    assert manifest.provenance["ingest"]["count_check"] == "as published"
    assert manifest.provenance["ingest"]["suspicions"] == []
    # From a list of the real files: the first and the last of each subject, and the irregular ones.
    assert {"KM.NE1.1", "KM.FE3.25", "KA.NE1.26", "KA.FE4.48", "YM.NE1.49", "YM.FE4.70"} < set(
        names
    )
    assert {"KR.NE1.71", "KR.FE3.91", "NM.NE1.92", "NM.FE3.112", "MK.NE1.113"} < set(names)
    assert {"MK.FE3.133", "UY.NE1.134", "UY.FE3.154", "KL.NE1.155", "KL.FE3.176"} < set(names)
    assert {"TM.NE1.177", "TM.FE3.198", "NA.NE1.199", "NA.FE3.219"} < set(names)
    assert {"KM.SA5.13", "KM.DI3.22", "NM.DI3.109", "KL.DI4.173", "KA.HA4.32"} < set(names)
    assert {"KA.AN1.39", "KM.HA4.7", "KR.SA1.77", "TM.SA1.184"} < set(names)


@pytest.mark.parametrize("scale", [0.002, 0.2])
def test_small_copies_have_all_subjects_and_classes(scale: float) -> None:
    stems = [image.stem for image in Jaffe().plan("official", scale, 0)]
    assert {stem[:5] for stem in stems} == {
        f"{subject}.{code}"
        for subject in ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
        for code in ("AN", "DI", "FE", "HA", "NE", "SA", "SU")
    }


def test_images_are_gray_uncompressed_tiffs(tmp_path: Path) -> None:
    root = write_demo("jaffe", tmp_path / "jaffe", scale=0.002, quiet=True).root
    path = root / "jaffe/KM.NE1.1.tiff"
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert (pixels.shape, pixels.dtype) == ((256, 256), "uint8")
    assert 256 * 256 < path.stat().st_size < 256 * 256 + 2000


def test_the_code_is_read_and_not_the_digit(tmp_path: Path) -> None:
    touch(tmp_path, "KM.SA5.13.tiff", "ka.an1.39.TIF", "IMG_7.tiff", "KM.XX1.14.tiff")
    touch(tmp_path, "KM.NE1.1.tiff", "KM.HA1.4.tiff", "KM.SU1.14.tiff", "KM.DI1.20.tiff")
    touch(tmp_path, "KM.FE1.23.tiff")
    manifest = ingest("jaffe", tmp_path)
    assert labels(manifest) == {
        "KM.SA5.13": "sadness",
        "KA.AN1.39": "anger",
        "KM.NE1.1": "neutral",
        "KM.HA1.4": "happiness",
        "KM.SU1.14": "surprise",
        "KM.DI1.20": "disgust",
        "KM.FE1.23": "fear",
    }
    assert set(manifest.column("subject")) == {"KM", "KA"}
    assert kinds(manifest) == ["file name"] * 2


def test_nested_folders_and_conversions(tmp_path: Path) -> None:
    root = touch(tmp_path / "jaffedbase", "jaffedbase/KA.AN1.39.jpg")
    assert ingest("jaffe", tmp_path).column("uri") == ["KA.AN1.39.jpg"]
    touch(root, "KA.AN1.39.jpg")
    with pytest.raises(LayoutError, match="contains 2 copies of jaffe"):
        ingest("jaffe", tmp_path)
    assert len(ingest("jaffe", root / "jaffedbase")) == 1


def test_one_folder_for_each_subject(tmp_path: Path) -> None:
    touch(tmp_path, "far/KA/KA.AN1.39.tiff", "far/KM/KM.AN1.17.tiff", "near.tiff")
    manifest = ingest("jaffe", tmp_path)
    assert manifest.column("uri") == ["KA/KA.AN1.39.tiff", "KM/KM.AN1.17.tiff"]
    assert not manifest.rejects


def test_class_folders_and_names_must_agree(tmp_path: Path) -> None:
    touch(tmp_path, "angry/KA.AN1.39.png", "happy/KA.HA1.29.png", "happy/KA.SA1.33.png")
    touch(tmp_path, "fear/KA.HA1.29.png", "odd/KA.FE1.45.png")
    manifest = ingest("jaffe", tmp_path)
    assert detect(tmp_path)[0].name == "class-folders"
    assert manifest.column("sample_id") == ["jaffe/KA.AN1.39"]
    assert sorted(each.reason for each in manifest.rejects) == [
        "duplicate id: also fear/KA.HA1.29.png",
        "folder and name disagree: folder fear, name happiness (HA)",
        "folder and name disagree: folder happiness, name sadness (SA)",
        "folder and name disagree: folder odd, name fear (FE)",
    ]


def test_ratings_become_soft_labels(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "KM.HA1.4.tiff", "KM.NE1.1.tiff", "KM.FE1.23.tiff")
    rows = "2 5.00 1.00 2.00 1.00 1.00 1.00 KM-HA1\n3 1 1 1 1 1 4 KM-AN9\n"
    second = "# HAP SAD SUR ANG DIS PIC\n1 1.00 5.00 1.00 1.00 1.00 KM-HA1\n"
    text = f"Some words on a PIC\n{HEADER}{NEUTRAL}{rows}\n(Fear Excluded)\n{second}"
    (tmp_path / "README").write_text(text.replace("\n", "\r\n"))
    found = soft_labels(tmp_path)
    assert found["KM.HA1.4"] == fractions(happiness=0.8, surprise=0.2)
    assert found["KM.NE1.1"] is None
    assert found["KM.FE1.23"] is None
    assert set(ingest("jaffe", tmp_path).column("label")) == {"happiness", "neutral", "fear"}
    assert "1 ratings have no image: KM-AN9" in caplog.text
    assert "1 images have no rating: KM.FE1.23.tiff" in caplog.text


def test_ratings_beside_the_folder_and_as_a_table(tmp_path: Path) -> None:
    touch(tmp_path, "jaffe/KM.HA1.4.tiff", "other/holiday.jpg")
    ratings = ("N,FEA,HAP,SAD,SUR,ANG,DIS,PIC", "1,2.0,2.0,1,1,1,1,KM-HA1")
    write(tmp_path / "semantic-ratings.csv", *ratings)
    assert soft_labels(tmp_path)["KM.HA1.4"] == fractions(happiness=0.5, fear=0.5)
    ((uri, reason),) = ((each.uri, each.reason) for each in ingest("jaffe", tmp_path).rejects)
    assert uri == "other/holiday.jpg"
    assert reason.startswith("stray image: holiday.jpg")
    assert soft_labels(tmp_path / "jaffe") == {"KM.HA1.4": None}


def test_a_readme_without_ratings_is_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "jaffe/KM.HA1.4.tiff")
    (tmp_path / "README.txt").write_text("My copy.\n")
    assert ingest("jaffe", tmp_path).column("uri") == ["KM.HA1.4.tiff"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NEUTRAL, "line 1: ratings without a line of column names"),
        (f"N JOY SAD SUR ANG DIS FEA PIC\n{NEUTRAL}", "columns N JOY SAD"),
        (f"N HAP HAP SUR ANG DIS FEA PIC\n{NEUTRAL}", "without ratings"),
        (f"N SAD SUR ANG DIS FEA PIC\n{NEUTRAL}", "expected N HAP SAD"),
    ],
)
def test_a_table_with_other_columns_is_refused(tmp_path: Path, text: str, words: str) -> None:
    touch(tmp_path, "KM.NE1.1.tiff")
    (tmp_path / "README").write_text(text)
    with pytest.raises(AnnotationError, match=words):
        ingest("jaffe", tmp_path)


def test_bad_lines_of_ratings_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "KM.HA1.4.tiff", "KM.HA2.5.tiff", "KM.HA3.6.tiff")
    rows = [
        "1 5.00 1.00 1.00 1.00 1.00 1.00 KM-HA1",
        "2 4.00 2.00 1.00 1.00 1.00 1.00 KM-HA1",
        "3 9.00 1.00 1.00 1.00 1.00 1.00 KM-HA2",
        "4 5.00 1.00 1.00 x 1.00 1.00 KM-HA3",
    ]
    (tmp_path / "README").write_text(HEADER + "\n".join(rows))
    found = soft_labels(tmp_path)
    assert found["KM.HA1.4"] == fractions(happiness=1)
    assert (found["KM.HA2.5"], found["KM.HA3.6"]) == (None, None)
    assert "2 lines of ratings are not six numbers from 1 to 5: README line 5" in caplog.text
    assert "1 images have two different ratings; the first is used" in caplog.text


def test_ratings_without_any_expression() -> None:
    assert soft_label(dict.fromkeys(RATED.values(), 1.0)) is None


def test_the_copy_has_a_rating_for_each_image(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_demo("jaffe", tmp_path / "jaffe", scale=0.002, quiet=True).root
    manifest = ingest("jaffe", root)
    seen = [label for label in manifest.column("soft_label") if label]
    assert len(seen) == 60
    assert {CANONICAL[max(range(8), key=label.__getitem__)] for label in seen} == set(
        RATED.values()
    )
    assert "rating" not in caplog.text
