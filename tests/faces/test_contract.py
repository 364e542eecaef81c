"""Another detector by its name: through the stage, its cache and worker processes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ferdata.core import registry as registry_module
from ferdata.core.errors import DetectorUnavailableError, OptionError, UnknownNameError
from ferdata.core.images import read_image
from ferdata.core.manifest import Manifest
from ferdata.core.parallel import open_executor
from ferdata.faces.detection import Box, Detection
from ferdata.faces.detectors import DETECTORS, LandmarkDetector
from ferdata.faces.landmark_scheme import LandmarkScheme
from ferdata.faces.locate import LocateReport, locate_faces
from ferdata.faces.options import FaceOptions
from ferdata.faces.schemes import FIVE, scheme, scheme_names

Rows = Callable[..., Manifest]


class BrightFive(LandmarkDetector):
    """Puts five points around the center of brightness; finds no face without contrast."""

    scheme = FIVE
    version = "bright/1"
    opened = 0

    def __init__(self, *, score: bool = True, blendshapes: bool = False) -> None:
        if blendshapes:
            raise OptionError("bright has no blendshapes")

    def __enter__(self) -> BrightFive:
        type(self).opened += 1
        return self

    def detect(self, image: npt.NDArray[np.uint8], box: Box | None = None) -> Detection | None:
        gray = image.mean(axis=2)
        if gray.std() < 25:
            return None
        ys, xs = np.mgrid[: gray.shape[0], : gray.shape[1]]
        center = np.array([np.average(xs, weights=gray), np.average(ys, weights=gray)])
        offsets = np.array([[-9, -9], [9, -9], [0, 0], [-7, 9], [7, 9]])
        return Detection((center + offsets).astype(np.float32), 1, "only", 0.5)


class Mesh(BrightFive):
    scheme = LandmarkScheme.from_pairs("mesh6", 6, [(0, 1)], ((0,), (1,), (2,), (3,), (4, 5)), {})


@pytest.fixture
def bright() -> Iterator[type[BrightFive]]:
    BrightFive.opened = 0
    DETECTORS.register("bright")(BrightFive)
    yield BrightFive
    DETECTORS.unregister("bright")


def test_a_registered_detector_runs_under_its_own_name(
    bright: type[BrightFive], rows_of: Rows, pictures: Path, empty_cache: Path
) -> None:
    manifest = rows_of(["0.png", "blank.png", "1.png"])
    report = LocateReport()
    first = locate_faces(manifest, FaceOptions("bright"), report=report)
    first.validate()
    assert (report.detected, report.cached, bright.opened) == (3, 0, 1)
    assert report.sources == {"bright": 2, "none": 1}
    assert first.column("landmark_source") == ["bright", "none", "bright"]
    assert first.column("landmark_scheme") == ["five", None, "five"]
    faces = first.provenance["faces"]
    assert (faces["detector"], faces["landmarks"]) == ("bright/1", "bright")
    assert faces["rows"] == {"dataset": 0, "bright": 2, "none": 1, "unreadable": 0, "faceless": 0}
    found = BrightFive().detect(read_image(pictures, "1.png").pixels)
    assert found is not None
    assert np.array_equal(first.column("landmarks")[2], found.landmarks)
    report = LocateReport()
    second = locate_faces(manifest, FaceOptions("bright"), report=report)
    assert (report.detected, report.cached, bright.opened) == (0, 3, 1)
    assert (second.digest(), second.provenance) == (first.digest(), first.provenance)


def test_what_it_can_not_do_is_its_own_error(bright: type[BrightFive], rows_of: Rows) -> None:
    with pytest.raises(OptionError, match="bright has no blendshapes"):
        locate_faces(rows_of(["0.png"]), FaceOptions("bright", blendshapes=True))


PLUGIN = """
import numpy as np
from ferdata.faces.detection import Detection
from ferdata.faces.detectors import LandmarkDetector
from ferdata.faces.schemes import FIVE

class Middle(LandmarkDetector):
    scheme = FIVE
    version = "middle/1"

    def detect(self, image, box=None):
        height, width = image.shape[:2]
        return Detection(np.float32([[width / 2, height / 2]] * 5), 1, "only")
"""


def test_worker_processes_find_the_detector_of_an_installed_package(
    rows_of: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "middle_faces.py").write_text(PLUGIN)
    info = tmp_path / "middle_faces-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: middle-faces\nVersion: 1\n")
    entry = "[ferdata.plugins]\ndetector.middle = middle_faces:Middle\n"
    (info / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry_module._plugins.cache_clear()
    try:
        with open_executor("processes", 2) as executor:
            report = LocateReport()
            located = locate_faces(
                rows_of(["0.png", "blank.png"]),
                FaceOptions("middle", score=False),
                executor=executor,
                workers=2,
                report=report,
            )
    finally:
        registry_module._plugins.cache_clear()
    assert report.detected == 2
    assert located.column("landmark_source") == ["middle", "middle"]
    assert located.column("five_points")[1] == [40, 30] * 5


def test_a_worker_process_that_does_not_know_the_detector_says_what_to_do(
    bright: type[BrightFive], rows_of: Rows
) -> None:
    with (
        open_executor("processes", 2) as executor,
        pytest.raises(DetectorUnavailableError, match="'bright': register it by an entry point"),
    ):
        locate_faces(rows_of(["0.png"]), FaceOptions("bright"), executor=executor, workers=2)


def test_schemes_of_detectors_are_found_by_name() -> None:
    assert scheme_names() == ("facepp37", "five", "ibug68", "mediapipe478")
    DETECTORS.register("mesh")(Mesh)
    try:
        assert scheme("mesh6") is Mesh.scheme
        assert "mesh6" in scheme_names()
    finally:
        DETECTORS.unregister("mesh")
    with pytest.raises(UnknownNameError, match="mesh6"):
        scheme("mesh6")


def test_a_detector_is_known_in_its_own_file_and_its_registration_only() -> None:
    package = Path(__file__).parents[2] / "ferdata"
    telling = re.compile(r"mediapipe|\b478\b", re.IGNORECASE)
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if telling.search(path.read_text(encoding="utf-8"))
    }
    registration = {
        "faces/detectors/__init__.py",
        "core/extras.py",
    }  # the latter: how to install it
    assert found == {"faces/detectors/mediapipe.py", *registration}
