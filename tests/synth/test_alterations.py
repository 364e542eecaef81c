"""Altered copies move what they show to where their map says, and change what their name says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ferdata.synth import draw_face
from ferdata.synth.alterations import ALTERATIONS

UNMOVED = ("brightness", "noise", "blur", "reencode", "gray")


def spot(x: float, y: float, width: int = 120, height: int = 90) -> np.ndarray:
    """Draw a bright spot on gray."""
    down, across = np.indices((height, width))
    bump = np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * 3.0**2))
    gray = (60 + 150 * bump).round().astype(np.uint8)
    return np.stack([gray] * 3, axis=2)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_what_is_shown_moves_as_the_map_says(name: str) -> None:
    for seed in range(3):
        copy = ALTERATIONS[name](spot(48.0, 40.0), np.random.default_rng(seed))
        smooth = cv2.GaussianBlur(copy.pixels[..., 1].astype(np.float32), (0, 0), 2.0)
        weight = np.maximum(smooth - smooth.max() * 0.8, 0)
        down, across = np.indices(weight.shape)
        seen = (across * weight).sum() / weight.sum(), (down * weight).sum() / weight.sum()
        expected = copy.matrix[:, :2] @ (48.0, 40.0) + copy.matrix[:, 2]
        np.testing.assert_allclose(seen, expected, atol=0.5)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_copies_are_new_and_repeatable(name: str) -> None:
    face = draw_face("happiness", np.random.default_rng(0), 64)
    before = face.pixels.copy()
    one, two = (ALTERATIONS[name](face.pixels, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    np.testing.assert_array_equal(face.pixels, before)
    assert one.pixels.dtype == np.uint8
    assert one.pixels.shape != before.shape or (one.pixels != before).any()
    assert (name in UNMOVED) == bool(np.array_equal(one.matrix, np.eye(2, 3)))


def test_a_flip_exchanges_the_sides_of_the_points() -> None:
    face = draw_face("neutral", np.random.default_rng(0), 64)
    copy = ALTERATIONS["flip"](face.pixels, np.random.default_rng(0))
    five = copy.move_five(face.five_points)
    assert five[0, 0] < five[1, 0]
    assert five[3, 0] < five[4, 0]
    np.testing.assert_allclose(five[0, 0], 63 - face.five_points[1, 0], atol=1e-4)
