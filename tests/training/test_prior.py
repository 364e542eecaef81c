"""Heat maps of regions from landmarks."""

import pytest
import torch
from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarksConnections

from ferdata.core.errors import OptionError
from ferdata.faces.landmark_scheme import REGIONS, LandmarkScheme
from ferdata.faces.schemes import SCHEMES, scheme, scheme_names
from ferdata.models.inputs.prior import GRID, RegionPrior


def peak(heat: torch.Tensor) -> tuple[float, float]:
    """Return the place of the largest value, in shares of the width and height."""
    row, column = divmod(int(heat.argmax()), GRID)
    return (column + 0.5) / GRID, (row + 0.5) / GRID


def test_maps_are_highest_at_their_points():
    landmarks = torch.tensor([[[20.0, 30.0], [60.0, 31.0], [40.0, 50.0], [28.0, 70], [52.0, 70]]])
    maps = RegionPrior("five")(landmarks, 100, 80)
    assert maps.shape == (1, len(REGIONS), GRID, GRID)
    assert maps.min() >= 0
    assert maps.max() <= 1
    assert not maps[0, 0].any()  # five points hold no brows
    assert peak(maps[0, 2]) == pytest.approx((40.5 / 80, 50.5 / 100), abs=1 / GRID)
    assert float(maps[0, 1, int(30.5 / 100 * GRID), int(20.5 / 80 * GRID)]) > 0.9
    assert float(maps[0, 1, int(31.5 / 100 * GRID), int(60.5 / 80 * GRID)]) > 0.9


def test_a_face_without_landmarks_has_empty_maps():
    landmarks = torch.full((2, 68, 2), float("nan"))
    assert not RegionPrior("ibug68")(landmarks, 64, 64).any()


@pytest.mark.parametrize("name", scheme_names())
def test_regions_are_their_own_mirror_image(name):
    known = scheme(name)
    for region in known.regions.values():
        assert {int(known.flip[point]) for point in region} == set(region)


def test_mediapipes_regions_lie_on_its_own_contours():
    def points(connections) -> set[int]:
        return {each for line in connections for each in (line.start, line.end)}

    own = FaceLandmarksConnections
    regions = scheme("mediapipe478").regions
    brows, eyes, mouth = (set(regions[name]) for name in ("brows", "eyes", "mouth"))
    left, right = own.FACE_LANDMARKS_LEFT_EYEBROW, own.FACE_LANDMARKS_RIGHT_EYEBROW
    assert brows == points(left) | points(right)
    assert eyes <= points(own.FACE_LANDMARKS_LEFT_EYE) | points(own.FACE_LANDMARKS_RIGHT_EYE)
    assert mouth <= points(own.FACE_LANDMARKS_LIPS)


def test_a_scheme_without_regions_is_refused(monkeypatch):
    with pytest.raises(OptionError, match="unknown landmark scheme 'other'; expected one of"):
        RegionPrior("other")
    bare = LandmarkScheme.from_pairs("bare", 1, [], ((0,),) * 5, {})
    monkeypatch.setitem(SCHEMES, "bare", bare)
    with pytest.raises(OptionError, match="'bare' can't serve as a prior"):
        RegionPrior("bare")
