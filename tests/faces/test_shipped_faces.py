"""Boxes and landmarks that a dataset ships, held against the image they belong to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferdata.core.errors import ModelFileError
from ferdata.core.manifest import Manifest
from ferdata.core.parallel import open_executor
from ferdata.faces.detectors.mediapipe import MediaPipeDetector
from ferdata.faces.detectors.model_file import ModelFile
from ferdata.faces.locate import locate_faces
from ferdata.faces.options import FaceOptions
from ferdata.synth import DrawnFace

Rows = Callable[..., Manifest]


def shipped(points: np.ndarray) -> dict[str, object]:
    return {
        "landmarks": np.asarray(points, np.float32).tolist(),
        "landmark_scheme": "ibug68",
        "landmark_source": "dataset",
    }


@pytest.fixture
def mixed(rows_of: Rows, drawn: list[DrawnFace]) -> Manifest:
    """Return rows whose landmarks are right, of a larger image, mirrored, in one place, right."""
    points = [face.landmarks for face in drawn]
    mirrored = points[2] * np.float32([-1, 1]) + np.float32([99, 0])  # without exchanging names
    columns = {
        "0.png": shipped(points[0]),
        "1.png": shipped(points[1] * 4),
        "2.png": shipped(mirrored),
        "3.png": shipped(np.full((68, 2), 40)),
        "4.png": shipped(points[4]),
    }
    return rows_of([f"{i}.png" for i in range(5)], columns)


def findings(manifest: Manifest, name: str) -> list[str | None]:
    return [
        next((each for each in row if each.startswith(name)), None)
        for row in manifest.column("quality")
    ]


def test_landmarks_that_can_not_be_right_are_replaced_by_the_detectors(
    detectable: Path, mixed: Manifest, drawn: list[DrawnFace]
) -> None:
    located = locate_faces(mixed)
    located.validate()
    assert located.column("sample_id") == mixed.column("sample_id")
    sources = ["dataset", "mediapipe", "mediapipe", "mediapipe", "dataset"]
    assert located.column("landmark_source") == sources
    assert findings(located, "landmarks-dropped") == [
        None,
        "landmarks-dropped:outside of the image",
        "landmarks-dropped:left and right are exchanged",
        "landmarks-dropped:the eyes are in one place",
        None,
    ]
    for row, face in zip(located.rows(), drawn, strict=False):
        five = np.reshape(row["five_points"], (5, 2))
        distance = np.linalg.norm(face.five_points[0] - face.five_points[1])
        assert np.linalg.norm(five - face.five_points, axis=1).mean() < 0.1 * distance
    (note,) = located.provenance["faces"]["fallbacks"]
    assert note.startswith("3 images have landmarks of their dataset that can't be right")
    assert located.provenance["faces"]["rows"]["mediapipe"] == 3


def test_workers_change_nothing(detectable: Path, mixed: Manifest) -> None:
    serial = locate_faces(mixed)
    with open_executor("processes", 2) as executor:
        parallel = locate_faces(mixed, executor=executor, workers=2)
    assert parallel.digest() == serial.digest()
    assert locate_faces(serial, FaceOptions("dataset")).column("quality") == serial.column(
        "quality"
    )


def test_the_datasets_landmarks_alone_leave_rows_without(
    mixed: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the detector was opened")

    monkeypatch.setattr(MediaPipeDetector, "__enter__", refuse)
    located = locate_faces(mixed, FaceOptions("dataset"))
    assert located.column("landmark_source") == ["dataset", "none", "none", "none", "dataset"]
    assert [each is not None for each in findings(located, "landmarks-dropped")] == [
        False, True, True, True, False,
    ]  # fmt: skip
    kept = locate_faces(mixed, FaceOptions("dataset", require_face=True))
    assert (len(kept), len(kept.rejects)) == (2, 3)
    assert {reject.reason for reject in kept.rejects} == {"no face found, and --require-face is on"}


def test_a_detector_that_can_not_run_is_recorded(
    mixed: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise ModelFileError("no model")

    monkeypatch.setattr(ModelFile, "fetch", fail)
    located = locate_faces(mixed)
    assert located.column("landmark_source") == ["dataset", "none", "none", "none", "dataset"]
    assert len(located.provenance["faces"]["fallbacks"]) == 2
    with pytest.raises(ModelFileError):
        locate_faces(mixed, FaceOptions(require_face=True))


def test_right_landmarks_need_no_detector(mixed: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the detector was prepared")

    monkeypatch.setattr(MediaPipeDetector, "prepare", refuse)
    located = locate_faces(mixed.take([0, 4]))
    assert located.column("landmark_source") == ["dataset", "dataset"]
    assert located.provenance["faces"]["detector"] is None


@pytest.mark.parametrize(
    ("box", "cut", "found"),
    [
        ([10, 20, 60, 70], [10, 20, 60, 70], None),
        ([-20, -20, 80, 80], [0, 0, 80, 80], "box-cut:0.36"),
        ([10, 10, 99999, 99999], [10, 10, 100, 100], "box-cut:1"),
        ([float("nan")] * 4, None, "box-dropped:not finite"),
        ([5, 5, 5, 5], None, "box-dropped:no area"),
        ([200, 5, 300, 90], None, "box-dropped:outside of the image"),
    ],
)
def test_boxes_are_cut_to_their_image(rows_of: Rows, box, cut, found) -> None:
    located = locate_faces(rows_of(["0.png"], {"0.png": {"box": box}}), FaceOptions("none"))
    assert located.column("box") == [cut]
    assert findings(located, "box") == [found]


def test_an_image_with_a_cut_box_is_found_in_the_cache(
    detectable: Path, rows_of: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(["0.png", "1.png"], {"0.png": {"box": [-9, 5, 900, 90]}})
    first = locate_faces(rows)

    def refuse(*_: object) -> None:
        raise AssertionError("the detector was opened")

    monkeypatch.setattr(MediaPipeDetector, "__enter__", refuse)
    assert locate_faces(rows).digest() == first.digest()


def test_blank_images_are_rejected_or_kept_as_declared(rows_of: Rows, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((60, 60, 3), 90, np.uint8))
    manifest = rows_of(["gray.png"])
    manifest = Manifest(manifest.table, manifest.label_space, roots={"drawn": tmp_path})
    rejected = locate_faces(manifest, FaceOptions("none"))
    assert [each.reason for each in rejected.rejects] == ["blank image: gray level 90.0 all over"]
    kept = locate_faces(manifest, FaceOptions("none", keep_blank=True))
    assert kept.column("quality") == [["blank:90"]]
