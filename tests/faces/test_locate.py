from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferdata.core.errors import (
    DetectorUnavailableError,
    ManifestError,
    ModelFileError,
    OptionError,
    UnknownNameError,
)
from ferdata.core.images import read_image
from ferdata.core.labels import CANONICAL
from ferdata.core.manifest import Manifest
from ferdata.core.parallel import open_executor
from ferdata.core.perceptual import HASH_NAME, perceptual_hash
from ferdata.faces import FaceOptions
from ferdata.faces.detectors import mediapipe as detector_module
from ferdata.faces.detectors.mediapipe import MediaPipeDetector
from ferdata.faces.detectors.model_file import ModelFile
from ferdata.faces.locate import LocateReport, locate_faces
from ferdata.synth import DrawnFace

Rows = Callable[..., Manifest]


def uris(count: int) -> list[str]:
    return [f"{i}.png" for i in range(count)]


@pytest.fixture
def no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when a detector is opened."""

    def refuse(*_: object) -> None:
        raise AssertionError("the detector was opened")

    monkeypatch.setattr(MediaPipeDetector, "__enter__", refuse)


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferdata.faces.face_work._TASK_ROWS", 5)


def test_faces_are_found_and_their_facts_filled_in(
    detectable: Path, rows_of: Rows, pictures: Path, drawn: list[DrawnFace]
) -> None:
    manifest = rows_of([*uris(6), "blank.png"])
    report = LocateReport()
    located = locate_faces(manifest, FaceOptions(blendshapes=True), report=report)
    located.validate()
    assert (report.images, report.detected, report.cached) == (7, 7, 0)
    assert report.sources == {"mediapipe": 6, "none": 1}
    assert located.column("sample_id") == manifest.column("sample_id")
    for row, face in zip(located.rows(), drawn, strict=False):
        image = read_image(pictures, row["uri"])
        assert (row["height"], row["width"]) == image.pixels.shape[:2]
        assert row["file_sha256"] == image.file_sha256
        assert row["pixel_sha256"] == image.pixel_sha256
        if row["uri"] == "blank.png":
            continue
        assert (row["landmark_scheme"], row["landmark_source"]) == ("mediapipe478", "mediapipe")
        assert np.shape(row["landmarks"]) == (478, 2)
        assert (row["face_count"], row["face_rule"]) == (1, "only")
        assert 0.5 < row["face_score"] <= 1
        assert len(row["blendshapes"]) == 52
        five = np.reshape(row["five_points"], (5, 2))
        distance = np.linalg.norm(face.five_points[0] - face.five_points[1])
        assert np.linalg.norm(five - face.five_points, axis=1).mean() < 0.1 * distance
    blank = list(located.rows())[-1]
    assert (blank["landmark_source"], blank["face_count"]) == ("none", 0)
    for column in ("landmarks", "landmark_scheme", "five_points", "face_rule", "face_score"):
        assert blank[column] is None


def test_a_second_run_detects_nothing_and_gives_the_same(
    detectable: Path, rows_of: Rows, request: pytest.FixtureRequest, small_tasks: None
) -> None:
    manifest = rows_of([*uris(6), "blank.png"])
    first = locate_faces(manifest)
    request.getfixturevalue("no_detector")
    report = LocateReport()
    second = locate_faces(manifest, report=report)
    assert (report.detected, report.cached) == (0, 7)
    assert second.digest() == first.digest()
    assert second.provenance == first.provenance


def test_a_second_run_does_not_even_load_mediapipe(
    detectable: Path, rows_of: Rows, tmp_path: Path
) -> None:
    manifest = rows_of(uris(2))
    locate_faces(manifest)
    manifest.save(tmp_path / "manifest.parquet")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ferdata.core.manifest import Manifest\n"
        "from ferdata.faces.locate import LocateReport, locate_faces\n"
        "path, root = map(Path, sys.argv[1:])\n"
        "manifest = Manifest.load(path, roots={'drawn': root})\n"
        "report = LocateReport()\n"
        "locate_faces(manifest, report=report)\n"
        "sys.exit(report.detected or 'mediapipe' in sys.modules)\n"
    )
    arguments = [str(tmp_path / "manifest.parquet"), str(manifest.roots["drawn"])]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)


def test_points_of_a_dataset_that_cant_be_right_are_findings_and_not_used(
    drawn: list[DrawnFace], rows_of: Rows
) -> None:
    good, exchanged = drawn[0].five_points, drawn[1].five_points[[1, 0, 2, 4, 3]]
    columns = {
        f"{number}.png": {"five_points": points.reshape(-1).tolist()}
        for number, points in enumerate((good, exchanged))
    }
    located = locate_faces(rows_of(uris(3), columns), FaceOptions(landmarks="dataset"))
    (finding,) = located.column("quality")[1]
    assert finding.startswith("landmarks-dropped")
    assert "exchanged" in finding
    assert located.column("landmark_source") == ["dataset", "none", "none"]
    found = located.provenance["faces"]["by_class"]
    assert [found[label] for label in CANONICAL[:3]] == [
        {"found": 1, "missing": 0}, {"found": 0, "missing": 1}, {"found": 0, "missing": 1}
    ]  # fmt: skip


def test_faces_that_a_build_requires_are_counted_by_class_all_the_same(
    detectable: Path, rows_of: Rows
) -> None:
    manifest = rows_of(["0.png", "blank.png", "absent.png"])
    located = locate_faces(manifest, FaceOptions(require_face=True))
    assert len(located) == 1
    counts = located.provenance["faces"]["by_class"]
    labels = manifest.column("label")
    assert [counts[label] for label in labels] == [
        {"found": 1, "missing": 0}, {"found": 0, "missing": 1}, {"found": 0, "missing": 0}
    ]  # fmt: skip


def test_workers_change_nothing(
    detectable: Path, rows_of: Rows, empty_cache: Path, small_tasks: None
) -> None:
    manifest = rows_of([*uris(11), "absent.png", "blank.png"])
    alone = locate_faces(manifest)
    (empty_cache / "detections-1.sqlite").unlink()
    with open_executor("processes", 2) as executor:
        report = LocateReport()
        two = locate_faces(manifest, executor=executor, workers=2, report=report)
    assert report.detected == 12
    assert two.digest() == alone.digest()
    assert (two.rejects, two.provenance) == (alone.rejects, alone.provenance)


def test_equal_pictures_are_looked_at_once(detectable: Path, rows_of: Rows) -> None:
    report = LocateReport()
    located = locate_faces(rows_of(["0.png", "1.png", "0.png"]), report=report)
    landmarks = located.column("landmarks")
    assert landmarks[0] == landmarks[2] != landmarks[1]
    assert report.sources == {"mediapipe": 3}


def test_images_that_can_not_be_used_become_rejects(
    rows_of: Rows, tmp_path: Path, pictures: Path
) -> None:
    (tmp_path / "good.png").write_bytes((pictures / "0.png").read_bytes())
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not an image")
    cv2.imwrite(str(tmp_path / "tiny.png"), np.zeros((1, 1, 3), np.uint8))
    (tmp_path / "cut.png").write_bytes((pictures / "1.png").read_bytes()[:900])
    bad = ["empty.jpg", "text.jpg", "tiny.png", "cut.png", "absent.jpg", "../good.png"]
    manifest = rows_of([bad[0], "good.png", *bad[1:]])
    manifest = Manifest(manifest.table, manifest.label_space, roots={"drawn": tmp_path})
    located = locate_faces(manifest, FaceOptions("none"))
    assert located.column("uri") == ["good.png"]
    assert [reject.uri for reject in located.rejects] == bad
    assert {reject.stage for reject in located.rejects} == {"faces"}
    assert all(reject.reason and reject.sample_id for reject in located.rejects)
    assert len(located) + len(located.rejects) == len(manifest)


def test_the_datasets_own_points_are_kept(
    rows_of: Rows, drawn: list[DrawnFace], no_detector: None
) -> None:
    points37 = np.arange(74, dtype=np.float32).reshape(37, 2)
    placed = drawn[0].five_points
    columns = {
        "0.png": {
            "landmarks": points37.tolist(),
            "landmark_scheme": "facepp37",
            "five_points": placed.reshape(-1).tolist(),
        },
        "1.png": {"landmarks": drawn[1].landmarks.tolist(), "landmark_scheme": "ibug68"},
        "2.png": {"five_points": drawn[2].five_points.reshape(-1).tolist()},
    }
    located = locate_faces(rows_of(uris(3), columns), FaceOptions("auto"))
    rows = list(located.rows())
    assert [row["landmark_source"] for row in rows] == ["dataset"] * 3
    assert [row["landmark_scheme"] for row in rows] == ["facepp37", "ibug68", "five"]
    assert np.array_equal(rows[0]["landmarks"], points37)
    assert np.array_equal(np.float32(rows[0]["five_points"]), placed.reshape(-1))
    assert np.allclose(np.reshape(rows[1]["five_points"], (5, 2)), drawn[1].five_points, atol=3)
    assert np.array_equal(np.float32(rows[2]["landmarks"]), drawn[2].five_points)
    assert all(row["face_count"] is None for row in rows)


def test_sources(detectable: Path, rows_of: Rows, drawn: list[DrawnFace]) -> None:
    shipped = {"0.png": {"five_points": drawn[0].five_points.reshape(-1).tolist()}}
    manifest = rows_of(uris(2), shipped)
    for option, expected in {
        "auto": ["dataset", "mediapipe"],
        "dataset": ["dataset", "none"],
        "mediapipe": ["mediapipe", "mediapipe"],
        "none": ["none", "none"],
    }.items():
        located = locate_faces(manifest, FaceOptions(option))
        assert located.column("landmark_source") == expected
        known = [source != "none" for source in expected]
        assert [five is not None for five in located.column("five_points")] == known


def test_five_points_of_the_37_are_said_to_be_assumed(
    rows_of: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    columns = {"0.png": {"landmarks": [[1.0, 2.0]] * 37, "landmark_scheme": "facepp37"}}
    with caplog.at_level(logging.WARNING):
        located = locate_faces(rows_of(uris(1), columns), FaceOptions("dataset"))
    (fallback,) = located.provenance["faces"]["fallbacks"]
    assert fallback.startswith("1 images have Face++'s 37 points")
    assert fallback in caplog.text


def test_a_face_may_be_required(detectable: Path, rows_of: Rows) -> None:
    report = LocateReport()
    located = locate_faces(
        rows_of(["blank.png", "0.png"]), FaceOptions(require_face=True), report=report
    )
    assert located.column("uri") == ["0.png"]
    assert report.faceless == 1
    assert "face" in located.rejects[0].reason


def unavailable(monkeypatch: pytest.MonkeyPatch, what: str) -> str:
    if what == "libraries":
        monkeypatch.setattr(detector_module, "NATIVE_LIBRARIES", ("libEGL-of-no-machine.so.1",))
        monkeypatch.setattr(sys, "platform", "linux")
        return "apt install libegl1 libgles2"

    def offline(*_: object, **__: object) -> Path:
        raise ModelFileError("put it into FERDATA_MODEL_DIR")

    monkeypatch.setattr(ModelFile, "fetch", offline)
    monkeypatch.setattr(detector_module, "NATIVE_LIBRARIES", ())
    return "FERDATA_MODEL_DIR"


@pytest.mark.parametrize(
    ("what", "reason"), [("libraries", "a library is missing"), ("model", "no model file")]
)
def test_auto_continues_without_the_detector_and_records_it(
    what: str,
    reason: str,
    rows_of: Rows,
    drawn: list[DrawnFace],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    small_tasks: None,
) -> None:
    hint = unavailable(monkeypatch, what)
    shipped = {"0.png": {"five_points": drawn[0].five_points.reshape(-1).tolist()}}
    with caplog.at_level(logging.WARNING):
        located = locate_faces(rows_of(uris(11), shipped))
    assert located.column("landmark_source") == ["dataset"] + ["none"] * 10
    assert len(caplog.records) == 1
    assert hint in caplog.text
    faces = located.provenance["faces"]
    assert faces["detector"] is None
    assert faces["fallbacks"] == [f"mediapipe could not run ({reason}): no landmarks were detected"]


@pytest.mark.parametrize("what", ["libraries", "model"])
@pytest.mark.parametrize(
    "options",
    [FaceOptions("mediapipe"), FaceOptions(require_face=True), FaceOptions(require_detector=True)],
    ids=["named", "face", "detector"],
)
def test_a_required_detector_that_can_not_run_is_an_error(
    what: str, options: FaceOptions, rows_of: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    hint = unavailable(monkeypatch, what)
    with pytest.raises((DetectorUnavailableError, ModelFileError), match=hint):
        locate_faces(rows_of(uris(1)), options)


def test_an_empty_manifest_stays_empty(rows_of: Rows) -> None:
    located = locate_faces(rows_of([]))
    located.validate()
    assert len(located) == 0


def test_an_unknown_root_is_named(rows_of: Rows) -> None:
    manifest = rows_of(uris(1))
    with pytest.raises(ManifestError, match="drawn"):
        locate_faces(Manifest(manifest.table, manifest.label_space))


def test_options_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="one of auto, dataset, mediapipe, none"):
        FaceOptions("mediapip")
    with pytest.raises(OptionError, match="require-face"):
        FaceOptions("none", require_face=True)
    with pytest.raises(OptionError, match="blendshapes"):
        FaceOptions("dataset", blendshapes=True)


def test_a_located_manifest_survives_its_file(
    detectable: Path, rows_of: Rows, tmp_path: Path
) -> None:
    located = locate_faces(rows_of(["0.png", "blank.png", "1.png"]))
    located.save(tmp_path / "manifest.parquet")
    assert Manifest.load(tmp_path / "manifest.parquet").digest() == located.digest()


def test_perceptual_hashes_are_filled_in_when_asked_for(
    rows_of: Rows, pictures: Path, no_detector: None, small_tasks: None
) -> None:
    manifest = rows_of([*uris(6), "absent.png", "blank.png"])
    located = locate_faces(manifest, FaceOptions("none", perceptual_hash=True))
    located.validate()
    expected = [perceptual_hash(read_image(pictures, uri).pixels) for uri in located.column("uri")]
    assert located.column("perceptual_hash") == expected
    assert len(set(expected)) == 7
    assert located.provenance["faces"]["perceptual_hash"] == HASH_NAME
    plain = locate_faces(located, FaceOptions("none"))
    assert plain.column("perceptual_hash") == [None] * 7
    assert plain.provenance["faces"]["perceptual_hash"] is None
