from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ferdata.core.errors import DetectorUnavailableError, ModelFileError
from ferdata.faces.detection import choose, extent, overlap
from ferdata.faces.detectors import mediapipe as detector_module
from ferdata.faces.detectors.mediapipe import MEDIAPIPE478, MediaPipeDetector
from ferdata.faces.detectors.model_file import ModelFile
from ferdata.synth import DrawnFace

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector(detectable: Path) -> Iterator[MediaPipeDetector]:
    with MediaPipeDetector(blendshapes=True) as opened:
        yield opened


def test_a_photograph_is_found(detector: MediaPipeDetector, astronaut: Pixels) -> None:
    found = detector.detect(astronaut)
    assert found is not None
    assert (found.face_count, found.rule) == (1, "only")
    assert found.landmarks.shape == (478, 2)
    assert found.landmarks.dtype == np.float32
    assert found.score is not None
    assert 0.5 < found.score <= 1
    assert found.blendshapes is not None
    assert found.blendshapes.shape == (52,)
    left, top, right, bottom = extent(found.landmarks)
    assert 30 < left < right < 190
    assert 40 < top < bottom < 220


@pytest.mark.parametrize("side", [48, 100, 220])
def test_flip_is_what_a_mirrored_photograph_gives(
    detector: MediaPipeDetector, astronaut: Pixels, side: int
) -> None:
    pixels = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    found, mirrored = detector.detect(pixels), detector.detect(pixels[:, ::-1])
    assert found is not None
    assert mirrored is not None
    expected = MEDIAPIPE478.mirror(found.landmarks, side)
    distances = np.linalg.norm(expected[:, None] - mirrored.landmarks[None], axis=-1)
    own = np.diagonal(distances)
    assert own.mean() < 0.01 * side
    # A wrong permutation would put points on each other's places all over the face.
    assert own.mean() < 0.5 * np.sort(distances, axis=1)[:, 2].mean()
    # Pixel centers: were they edges, the mean would be off by one.
    assert abs((mirrored.landmarks[:, 0] - expected[:, 0]).mean()) < 0.5


def test_five_points_are_those_of_the_drawing(
    detector: MediaPipeDetector, drawn: list[DrawnFace]
) -> None:
    errors = []
    for face in drawn:
        found = detector.detect(face.pixels)
        assert found is not None
        distance = np.linalg.norm(face.five_points[0] - face.five_points[1])
        error = np.linalg.norm(MEDIAPIPE478.to_five(found.landmarks) - face.five_points, axis=-1)
        errors.append(error.mean() / distance)
    assert np.mean(errors) < 0.10


def test_the_images_before_change_nothing(
    detector: MediaPipeDetector, astronaut: Pixels, drawn: list[DrawnFace]
) -> None:
    first = detector.detect(astronaut)
    for face in drawn[:3]:
        detector.detect(face.pixels)
    again = detector.detect(astronaut)
    assert first is not None
    assert again is not None
    assert np.array_equal(first.landmarks, again.landmarks)
    assert first.score == again.score


def test_a_picture_without_a_face(detector: MediaPipeDetector) -> None:
    assert detector.detect(np.full((16, 200, 3), 128, np.uint8)) is None
    noise = np.random.default_rng(0).integers(0, 256, (333, 16, 3), dtype=np.uint8)
    assert detector.detect(noise) is None


def test_a_tight_crop_is_found_with_a_border_in_coordinates_of_the_image(
    detector: MediaPipeDetector, astronaut: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = detector.detect(astronaut)
    assert whole is not None
    tried = []
    detect_in = MediaPipeDetector._detect_in

    def only_with_border(self, pixels, box, *, border):
        tried.append(border)
        return detect_in(self, pixels, box, border=border) if border else None

    monkeypatch.setattr(MediaPipeDetector, "_detect_in", only_with_border)
    found = detector.detect(astronaut)
    assert tried == [0, 55]
    assert found is not None
    assert found.rule == "only/border"
    assert found.score is not None
    assert np.abs(found.landmarks - whole.landmarks).mean() < 2


def test_among_several_the_box_decides_else_the_size(
    detector: MediaPipeDetector, astronaut: Pixels
) -> None:
    small = cv2.resize(astronaut, (165, 195), interpolation=cv2.INTER_AREA)
    both = np.full((260, 385, 3), 60, np.uint8)
    both[:, :220] = astronaut
    both[:195, 220:] = small
    largest = detector.detect(both)
    nearest = detector.detect(both, (220.0, 0.0, 385.0, 195.0))
    assert largest is not None
    assert nearest is not None
    assert (largest.face_count, largest.rule) == (2, "largest")
    assert (nearest.face_count, nearest.rule) == (2, "nearest-box")
    assert largest.landmarks[:, 0].max() < 220 < nearest.landmarks[:, 0].min()
    assert largest.score is not None
    assert nearest.score is not None


def test_choice_and_overlap() -> None:
    boxes = [(0.0, 0.0, 2.0, 2.0), (10.0, 0.0, 14.0, 4.0), (20.0, 0.0, 24.0, 4.0)]
    assert choose(boxes[:1], (90, 90, 99, 99)) == (0, "only")
    assert choose(boxes, None) == (1, "largest")
    assert choose(boxes, (0, 0, 3, 3)) == (0, "nearest-box")
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0


def test_missing_libraries_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_module, "NATIVE_LIBRARIES", ("libEGL-of-no-machine.so.1",))
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(DetectorUnavailableError, match=r"libEGL-of.*apt install libegl1 libgles2"):
        MediaPipeDetector().require_libraries()
    with pytest.raises(DetectorUnavailableError, match="apt install"), MediaPipeDetector():
        pass


def test_a_file_that_is_no_model(
    detectable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"not a model"
    (tmp_path / "model.task").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    wrong = ModelFile("model.task", "nowhere", len(content), digest, "no-package", "nothing")
    monkeypatch.setenv("FERDATA_MODEL_DIR", str(tmp_path))
    monkeypatch.setattr(detector_module, "FACE_LANDMARKER", wrong)
    with pytest.raises(ModelFileError, match=r"model\.task"), MediaPipeDetector():
        pass


def test_the_version_names_model_library_and_what_was_asked_for() -> None:
    number = importlib.metadata.version("mediapipe")
    plain = f"face_landmarker/64184e22/mediapipe-{number}/rules-1"
    versions = {
        (score, blendshapes): MediaPipeDetector(score=score, blendshapes=blendshapes).version
        for score in (False, True)
        for blendshapes in (False, True)
    }
    assert versions == {
        (False, False): plain,
        (True, False): f"{plain}/score",
        (False, True): f"{plain}/blendshapes",
        (True, True): f"{plain}/score/blendshapes",
    }


def test_another_process_finds_the_same_and_ends_without_noise(
    detector: MediaPipeDetector, astronaut: Pixels, tmp_path: Path
) -> None:
    np.save(tmp_path / "pixels.npy", astronaut)
    code = (
        "import sys, numpy as np\n"
        "from ferdata.faces.detectors.mediapipe import MediaPipeDetector\n"
        "with MediaPipeDetector() as detector:\n"
        "    found = detector.detect(np.load(sys.argv[1]))\n"
        "sys.stdout.write(found.landmarks.tobytes().hex())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "pixels.npy")],
        capture_output=True,
        text=True,
        check=True,
    )
    found = detector.detect(astronaut)
    assert found is not None
    assert result.stdout == found.landmarks.tobytes().hex()
    assert result.stderr == ""


RESET = """
import signal
import numpy as np
from ferdata.faces.detectors.mediapipe import MediaPipeDetector

def detect():
    with MediaPipeDetector() as detector:
        detector.detect(np.zeros((64, 64, 3), np.uint8))

detect()
for number in (signal.SIGPROF, signal.SIGTERM):  # as Lightning's fit does with every signal
    signal.signal(number, signal.getsignal(number))
detect()
signal.signal(signal.SIGPROF, signal.SIG_DFL)
detect()
print("alive")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="MediaPipe's timers are those of Linux")
@pytest.mark.usefixtures("detectable")
def test_a_detector_outlives_code_that_resets_signals() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RESET], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
