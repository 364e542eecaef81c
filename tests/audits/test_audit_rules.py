"""Rules one by one: what each finds, and what it does not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.audit_rows import (
    WORDS,
    face,
    found,
    manifest,
    outcome,
    put,
    put_faces,
    rows,
    run,
    saved,
)

from ferdata.audits.image_measures import jpeg_quality, measure_image
from ferdata.audits.printed import Claim
from ferdata.audits.rules.attributes import Association
from ferdata.core.labels import BASIC7
from ferdata.evaluation.metrics import wilson_interval
from ferdata.ingesters.lookup import dataset_info


def test_subjects_known_of_a_part(tmp_path: Path) -> None:
    train = rows(70, "train", subject=lambda k: f"p{k}" if k < 35 else None)
    test = rows(20, "test", subject=lambda k: ("p1", "new", None, None)[k % 4])
    _, report = run(saved(tmp_path / "m.parquet", train, test))
    finding = found(report, "leak-subject")
    assert (finding.count, finding.of) == (5, 10)
    assert finding.details["test images without subject"] == 10


def test_missing_classes(tmp_path: Path) -> None:
    few = [row for row in rows(70, "train") if row["label"] != "fear"]
    code, report = run(saved(tmp_path / "m.parquet", few, rows(21, "test")))
    assert code == 1
    assert found(report, "class-missing", "error").details == {"fear": 3}


@pytest.mark.parametrize(("n", "test"), [(28, "exact test"), (2800, "chi-square test")])
def test_class_shares_of_test(tmp_path: Path, n: int, test: str) -> None:
    skewed = [{"label": "happiness", "split": "test"}] * (3 * n // 4) + rows(n // 4, "test")
    _, report = run(saved(tmp_path / "m.parquet", rows(7 * n, "train"), skewed))
    finding = found(report, "prior-shift", "warning")
    assert test in finding.title
    assert finding.value == pytest.approx(0.64, abs=0.02)
    assert finding.details["p"] < 0.001


def test_equal_shares_are_no_finding(tmp_path: Path) -> None:
    _, report = run(saved(tmp_path / "m.parquet", rows(700, "train"), rows(210, "test")))
    assert outcome(report, "prior-shift") == "clean"
    assert outcome(report, "tiny-class") == "clean"


def test_folders_that_contradict_the_labels(tmp_path: Path) -> None:
    def uri(number: int) -> str:
        return f"train/{WORDS[number % 7 if number % 10 else (number + 1) % 7]}/{number}.png"

    code, report = run(saved(tmp_path / "m.parquet", rows(70, "train", uri=uri)))
    assert code == 1
    finding = found(report, "label-order", "error")
    assert (finding.count, finding.of) == (7, 70)


def test_association_of_an_attribute_and_the_class(tmp_path: Path) -> None:
    gender = {True: "female", False: "male"}
    linked = rows(700, gender=lambda k: gender[k % 7 < 3] if k % 5 else gender[k % 2 == 0])
    _, report = run(saved(tmp_path / "m.parquet", linked))
    finding = found(report, "attributes", "warning")
    assert finding.details["low"] < finding.value < finding.details["high"]
    assert finding.details["low"] > 0.1
    free = rows(700, gender=lambda k: gender[(k // 7) % 2 == 0])
    _, report = run(saved(tmp_path / "n.parquet", free))
    assert found(report, "attributes", "note").value == 0


def test_interval_of_the_association_covers_the_truth() -> None:
    """Of 200 tables with V = 0.3, 95 % of intervals cover it, give or take three deviations."""
    generator = np.random.default_rng(0)
    truth = np.array([[0.5 * 1.3, 0.5 * 0.7], [0.5 * 0.7, 0.5 * 1.3]]) / 2
    covered = 0
    for _ in range(200):
        drawn = generator.multinomial(400, truth.reshape(-1)).reshape(2, 2)
        each = Association.of(drawn)
        covered += each.low <= 0.3 <= each.high
    assert covered >= 200 * 0.95 - 3 * (200 * 0.95 * 0.05) ** 0.5


def test_terms(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    saved(path, rows(70, dataset="rafdb"), rows(21, dataset="jaffe"))
    assert run(path)[0] == 0
    code, report = run(path, "--purpose", "publish")
    assert code == 1
    assert {each.subject for each in report.by_rule("license") if each.severity == "error"} == {
        "rafdb", "jaffe",
    }  # fmt: skip
    assert found(report, "license", "note").subject == "mix"


def test_validation_that_is_the_test_split_of_others(tmp_path: Path) -> None:
    parts = (
        rows(70, "train", official_split="train"),
        rows(21, "validation", official_split="test"),
    )
    code, report = run(saved(tmp_path / "m.parquet", *parts))
    assert code == 1
    assert "others report test scores on" in found(report, "protocol", "error").title


def test_claims_are_exact() -> None:
    assert Claim.parse("98.99").correct(99) == 98
    assert Claim.parse("98.99").correct(98) is None
    assert Claim.parse("68.626").correct(3589) == 2463
    assert Claim.parse("66.67").correct(3) == Claim.parse("66.66").correct(3) == 2
    assert Claim.parse("100.00").correct(7) == 7
    assert Claim.parse("50.0").always_fits(1000) and not Claim.parse("50.0").always_fits(999)
    for n in range(1, 300):  # every attainable accuracy is accepted
        for k in range(n + 1):
            assert Claim.parse(f"{100 * k / n:.2f}").correct(n) is not None


def test_blank_dark_and_enlarged_images(tmp_path: Path) -> None:
    for number in range(42):
        small = face(number, 48)
        put(tmp_path / "train" / WORDS[number % 7] / f"{number}.png", cv2.resize(small, (224, 224)))
    put(tmp_path / "train/happy/blank.png", np.full((224, 224, 3), 9, np.uint8))
    put(tmp_path / "train/happy/dark.png", face(50, 224) // 6)
    _, report = run(tmp_path, "--no-faces", "--rules", "quality")
    by_subject = {each.subject: each for each in report.findings}
    assert by_subject["blank"].count == 1
    assert by_subject["dark"].count == 1
    assert by_subject["enlarged"].count >= 35
    assert by_subject["enlarged"].value < by_subject["enlarged"].threshold


@pytest.mark.parametrize("size", [48, 100])
def test_sharp_images_are_not_enlarged(tmp_path: Path, size: int) -> None:
    put_faces(tmp_path, "train", range(42), size)
    _, report = run(tmp_path, "--no-faces", "--rules", "quality")
    assert not [each for each in report.findings if each.subject == "enlarged"]


def test_pixels_that_were_repeated(tmp_path: Path) -> None:
    for number in range(42):
        pixels = np.kron(face(number, 48), np.ones((2, 2, 1), np.uint8))
        put(tmp_path / "train" / WORDS[number % 7] / f"{number}.png", pixels)
    _, report = run(tmp_path, "--no-faces", "--rules", "quality")
    (finding,) = (each for each in report.findings if each.subject == "enlarged")
    assert "pixels are repeated" in finding.title


def test_images_that_were_compressed_before(tmp_path: Path) -> None:
    for number in range(42):
        pixels = face(number, 112)
        data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
        put(tmp_path / "train" / WORDS[number % 7] / f"{number}.png", cv2.imdecode(data, 1))
    _, report = run(tmp_path, "--no-faces", "--rules", "quality")
    assert [each.subject for each in report.findings if each.subject == "compressed"]


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
def test_quality_of_a_jpeg(quality: int) -> None:
    data = cv2.imencode(".jpg", face(1), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    assert jpeg_quality(data) == pytest.approx(quality, abs=1)
    assert np.isnan(measure_image(face(1)).numbers[3])


def test_faces_upside_down(tmp_path: Path, detectable: Path) -> None:
    put_faces(tmp_path, "train", range(28), 112)
    for number in range(30, 37):
        put(tmp_path / "train" / WORDS[number % 7] / f"{number:05d}.png", face(number, 112)[::-1])
    code, report = run(tmp_path, "--rules", "vertical-flip,no-face", "--workers", "1")
    assert code == 1
    finding = found(report, "vertical-flip", "error")
    assert finding.count >= 6
    names = {name for each in finding.examples for name in each.uris}
    assert all(int(Path(name).stem) >= 30 for name in names)


def test_landmarks_of_the_dataset_that_are_no_face(tmp_path: Path) -> None:
    """Findings that the face stage left in a manifest, and points outside of the image."""
    five = [30.0, 40.0, 70.0, 40.0, 50.0, 60.0, 35.0, 80.0, 65.0, 80.0]
    cut = [*five[:7], 130.0, *five[8:]]
    faces = rows(
        70,
        width=100,
        height=100,
        landmark_source="dataset",
        face_count=lambda k: 2 if k < 7 else 1,
        five_points=lambda k: cut if k in (3, 4) else five,
        face_finding={1: "order of the five points"}.get,
        quality=lambda k: ["landmarks-dropped:not finite"] if k == 2 else None,
    )
    _, report = run(saved(tmp_path / "m.parquet", faces))
    assert found(report, "wrong-landmarks", "warning").count == 2
    assert found(report, "several-faces", "warning").count == 7
    assert found(report, "face-cut", "note").count == 2
    assert outcome(report, "no-face") == "clean"


def test_faceless_classes(tmp_path: Path) -> None:
    def source(number: int) -> str:
        return "none" if number % 7 == 0 and number % 2 else "mediapipe"

    looked_at = rows(700, landmark_source=source, face_count=lambda k: int(source(k) != "none"))
    passed_over = rows(70, landmark_source="none")
    _, report = run(saved(tmp_path / "m.parquet", looked_at, passed_over))
    finding = found(report, "no-face", "warning")
    assert "unevenly" in finding.title
    assert finding.of == 700
    assert finding.details["anger"] == 0.5


def test_faces_of_two_sizes(tmp_path: Path) -> None:
    def points(factor: float) -> list[float]:
        base = np.array([30, 40, 70, 40, 50, 60, 35, 80, 65, 80], float)
        return ((base - 50) * factor + 50).tolist()

    parts = [
        rows(35, "train", five_points=points(factor), dataset=name, width=100, height=100,
             landmark_source="dataset")
        for name, factor in (("rafdb", 1.0), ("fer2013", 0.7))
    ]  # fmt: skip
    _, report = run(saved(tmp_path / "m.parquet", *parts))
    finding = found(report, "odd-scale", "warning")
    assert finding.subject == "fer2013/rafdb"
    assert finding.value == pytest.approx(1 / 0.7, rel=0.01)


def test_published_counts(tmp_path: Path) -> None:
    differences = [{"split": "train", "label": "fear", "found": 270, "published": 281}]
    made = manifest(rows(70)).with_provenance("ingest", {"count_differences": differences})
    made.save(tmp_path / "m.parquet")
    _, report = run(tmp_path / "m.parquet")
    assert "270 here, 281 published" in found(report, "counts", "warning").title


def test_the_interval_is_wilsons() -> None:
    low, high = wilson_interval(83, 88)
    assert (round(low, 4), round(high, 4)) == (0.8738, 0.9755)
    assert len(BASIC7) == 7


def test_a_set_that_is_another_one_by_its_counts(tmp_path: Path) -> None:
    """RAF-DB's counts under the name of FER+; FER2013's merged test sets in a set of one's own."""
    raf = [
        {"dataset": "ferplus", "label": label}
        for label, images in dataset_info("rafdb").images_by_class.items()
        for _ in range(images)
    ]
    code, report = run(saved(tmp_path / "m.parquet", raf), "--rules", "counts,label-order")
    assert code == 1
    assert "this is rafdb under another name" in found(report, "counts", "error").title
    merged = {
        label: sum(dataset_info("fer2013").counts[split][label] for split in ("validation", "test"))
        for label in BASIC7.names
    }
    own = [
        {"split": split, "label": label}
        for split, counts in (("train", dataset_info("fer2013").counts["train"]), ("test", merged))
        for label, images in counts.items()
        for _ in range(images)
    ]
    code, report = run(saved(tmp_path / "n.parquet", own), "--rules", "counts")
    assert code == 1
    titles = [each.title for each in report.by_rule("counts")]
    assert any(
        each.startswith("Test: ") and "the test folder of Kaggle's copy" in each for each in titles
    )
