"""Points that can't be a face's are findings, and not aligned by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.faces.align import ARCFACE_TEMPLATE
from ferdata.faces.face_rows import FaceRows
from ferdata.faces.plausible import BOX, ORDER, SET, check_faces, eye_shares, wrong_order

SPACE = LabelSpace("canonical8", CANONICAL)
FACE = ARCFACE_TEMPLATE - ARCFACE_TEMPLATE.mean(axis=0)


def manifest_of(*rows: dict) -> Manifest:
    required = {"dataset": "a", "layout": "flat", "uri": "x", "framing": "crop", "width": 100,
                "height": 100, "label": "anger"}  # fmt: skip
    table = [{**required, "sample_id": f"a/{i}", **row} for i, row in enumerate(rows)]
    return Manifest.from_rows(table, SPACE)


def points(scale: float = 1.0, middle: float = 50.0) -> list[float]:
    return (FACE * scale + middle).ravel().tolist()


@given(angle=st.floats(-3.1, 3.1), scale=st.floats(0.01, 50), x=st.floats(-99, 99))
def test_a_face_is_in_order_however_it_lies(angle: float, scale: float, x: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    face = FACE @ turn.T + x
    assert not wrong_order(face[None])[0]
    mirrored = FACE * (-1, 1) @ turn.T + x
    assert wrong_order(mirrored[None])[0]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ([1, 0, 2, 3, 4], True),  # eyes exchanged
        ([0, 1, 2, 4, 3], True),  # mouth corners exchanged
        ([3, 4, 2, 0, 1], False),  # upside down, as a photograph may be
        ([2, 2, 0, 3, 4], True),  # nose above the eyes
    ],
)
def test_the_order_of_points(change: list[int], wrong: bool) -> None:
    face = FACE[change].copy()
    if change == [2, 2, 0, 3, 4]:
        face[2] = FACE[0] - (0, 30)
    if change == [3, 4, 2, 0, 1]:
        face = -FACE
    assert wrong_order(face[None])[0] == wrong


def test_a_turned_head_is_in_order_and_keeps_its_size() -> None:
    profile = FACE * (0.1, 1)
    profile[0, 0] += 4  # the far eye is a guess, here 2 pixels beyond the near one
    assert not wrong_order(profile[None])[0]
    sides = np.array([[100.0, 100]])
    front, turned = (eye_shares(face[None], sides)[0] for face in (FACE, profile))
    assert turned == pytest.approx(front, rel=0.2)
    assert front == pytest.approx(0.3524, abs=0.001)


def test_unknown_points_are_no_finding() -> None:
    check = check_faces(manifest_of({}, {"five_points": points()}))
    assert check.findings == [None, None]
    assert check.ranges == {}


def test_points_are_held_against_a_box() -> None:
    check = check_faces(
        manifest_of(
            {"five_points": points(), "box": [10, 10, 90, 90]},
            {"five_points": points(), "box": [45, 45, 60, 60]},  # eyes wider than the box
            {"five_points": points(0.1), "box": [0, 0, 100, 100]},
            {"five_points": points(0.2), "box": [70, 70, 99, 99]},  # another face's
            {"five_points": points(), "box": [50, 50, 50, 50]},  # no box at all
        )
    )
    assert check.findings == [None, BOX, BOX, BOX, None]


def test_points_are_held_against_the_set() -> None:
    random = np.random.default_rng(0)
    usual = [{"five_points": points(scale)} for scale in np.exp(random.normal(0, 0.05, 60))]
    odd = [{"five_points": points(0.4)}, {"five_points": points(2.2)}]
    other = [{"five_points": points(0.4), "dataset": "b"} for _ in range(30)]
    few = [{"five_points": points(0.1), "framing": "photograph"}]
    check = check_faces(manifest_of(*usual, *odd, *other, *few))
    assert check.findings == [None] * 60 + [SET, SET] + [None] * 31
    assert set(check.ranges) == {("a", "crop"), ("b", "crop")}
    low, high = check.ranges["a", "crop"]
    assert 0.2 < low < 0.25
    assert 0.5 < high < 0.6


def test_a_wide_set_has_a_wide_range() -> None:
    spread = np.exp(np.random.default_rng(1).normal(0, 0.4, 80)).clip(0.3, 3)
    check = check_faces(manifest_of(*({"five_points": points(scale)} for scale in spread)))
    assert check.findings == [None] * 80


def test_rows_with_a_finding_have_no_usable_points() -> None:
    manifest = manifest_of(
        {"five_points": points()}, {"five_points": points(), "face_finding": ORDER}, {}
    )
    assert FaceRows.of(manifest).known.tolist() == [True, False, False]
