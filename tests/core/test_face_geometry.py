"""Boxes and points of datasets: what can be right, and what can't."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.face_geometry import clean_faces, cut_box, points_problem
from ferdata.core.labels import CANONICAL
from ferdata.faces.schemes import IBUG68
from ferdata.synth import draw_face

NAN, INF = float("nan"), float("inf")
FIVE = np.array([[35, 40], [65, 40], [50, 58], [38, 75], [62, 75]], np.float32)


@pytest.mark.parametrize(
    ("box", "cut", "found"),
    [
        (None, None, None),
        ((10, 20, 50, 60), (10, 20, 50, 60), None),
        ((0, 0, 100, 80), (0, 0, 100, 80), None),
        ((-20, -20, 80, 80), (0, 0, 80, 80), "box-cut:0.36"),
        ((10, 10, 99999, 99999), (10, 10, 100, 80), "box-cut:1"),
        ((NAN, NAN, NAN, NAN), None, "box-dropped:not finite"),
        ((1, 2, INF, 9), None, "box-dropped:not finite"),
        ((5, 5, 5, 5), None, "box-dropped:no area"),
        ((50, 5, 40, 60), None, "box-dropped:no area"),
        ((100, 0, 150, 50), None, "box-dropped:outside of the image"),
        ((-60, -60, -10, -10), None, "box-dropped:outside of the image"),
    ],
)
def test_boxes_are_cut_to_their_image(box, cut, found) -> None:
    assert cut_box(box, 100, 80) == (cut, found)


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ((points - 50) @ rotation.T + 50).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, 250])
def test_faces_may_be_turned_by_any_angle(degrees: float) -> None:
    points = turned(FIVE, degrees)
    assert points_problem(points, points, 100, 100) == ""


def test_drawn_faces_are_possible() -> None:
    for seed in range(40):
        drawn = draw_face(CANONICAL[seed % 8], np.random.default_rng(seed), 100)
        five = IBUG68.to_five(drawn.landmarks)
        assert points_problem(five, drawn.landmarks, 100, 100) == "", seed


@pytest.mark.parametrize("squeeze", [0.3, 0.6, 1.7])
def test_profiles_and_heads_that_nod_are_possible(squeeze: float) -> None:
    points = ((FIVE - 50) * [squeeze, 1] + 50).astype(np.float32)
    assert points_problem(points, points, 100, 100) == ""


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (FIVE * 5, "outside of the image"),
        (FIVE - 60, "outside of the image"),
        (FIVE + np.array([[0, 0]] * 4 + [[90, 0]]), "outside of the image"),
        (np.where(FIVE == 58, np.nan, FIVE), "not finite"),
        (np.full((5, 2), 50), "the eyes are in one place"),
        (FIVE[[1, 0, 2, 3, 4]], "left and right are exchanged"),
        (FIVE[[0, 1, 2, 4, 3]], "left and right are exchanged"),
        (FIVE[[3, 4, 2, 0, 1]], "left and right are exchanged"),
        (FIVE * [1, 0.1] + [0, 40], "eye distances apart"),
        (FIVE * [0.1, 1] + [40, 0], "eye distances apart"),
        (FIVE - np.array([[0], [0], [1], [0], [0]]) * [0, 40], "the nose"),
    ],
    ids=["of a larger image", "shifted", "one corner", "NaN", "one place", "eyes exchanged",
         "mouth exchanged", "upside down in part", "flat", "narrow", "nose above"],
)  # fmt: skip
def test_points_that_can_not_be_right(points: np.ndarray, problem: str) -> None:
    points = np.asarray(points, np.float32)
    assert problem in points_problem(points, points, 100, 100)


def test_a_jaw_may_be_cut_off_and_not_the_face() -> None:
    drawn = draw_face("happiness", np.random.default_rng(0), 100)
    points = drawn.landmarks.copy()
    points[:17, 1] += 60
    five = IBUG68.to_five(points)
    assert points_problem(five, points, 100, 100) == ""
    points[17:40] += 200
    assert "of them outside" in points_problem(five, points, 100, 100)


def test_columns_lose_what_is_no_box_and_no_point() -> None:
    nan = [[NAN, NAN]] * 68
    columns = {
        "box": [None, (1, 2, 3, 4), (NAN,) * 4, (5, 5, 5, 5), (-9, -9, 99999, 5)],
        "five_points": [None, [1.0] * 10, None, [NAN] * 10, None],
        "landmarks": [nan, [[1, 2]] * 68, None, None, np.ones((68, 2))],
        "landmark_scheme": ["ibug68", "ibug68", None, None, "ibug68"],
        "landmark_source": ["dataset", "dataset", None, "dataset", "dataset"],
    }
    clean_faces(columns)
    assert columns["box"] == [None, (1, 2, 3, 4), None, None, (-9, -9, 99999, 5)]
    assert [each is None for each in columns["landmarks"]] == [True, False, True, True, False]
    assert columns["landmark_source"] == [None, "dataset", None, None, "dataset"]
    assert columns["quality"] == [
        ["landmarks-dropped:not finite"],
        None,
        ["box-dropped:not finite"],
        ["box-dropped:no area", "landmarks-dropped:not finite"],
        None,
    ]


def test_columns_without_a_fault_stay_as_they_are() -> None:
    columns = {"box": [None, (1, 2, 3, 4)], "five_points": [None, None], "landmarks": [None, None]}
    clean_faces(columns)
    assert columns == {
        "box": [None, (1, 2, 3, 4)], "five_points": [None, None], "landmarks": [None, None],
    }  # fmt: skip
