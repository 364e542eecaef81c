"""Brightness by levels: as far as asked for, and never into black or white."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ferdata.augmentation.copies import apply_operations


def bright(pixels: np.ndarray, levels: float) -> np.ndarray:
    return apply_operations(pixels, json.dumps([{"op": "brightness", "levels": levels}])).pixels


def newly_extreme(before: np.ndarray, after: np.ndarray) -> float:
    extreme = (after == 0) | (after == 255)
    return float((extreme & (before > 0) & (before < 255)).mean())


@st.composite
def images(draw) -> np.ndarray:
    """Draw images of any histogram: of few levels or of many, dark, bright or with a background."""
    number = draw(st.integers(1, 40))
    values = draw(st.lists(st.integers(0, 255), min_size=number, max_size=number))
    seed = draw(st.integers(0, 99))
    return np.random.default_rng(seed).choice(np.array(values, np.uint8), (20, 24, 3))


@settings(max_examples=150, deadline=None)
@given(pixels=images(), levels=st.floats(-60, 60))
def test_no_pixel_becomes_black_or_white(pixels, levels):
    after = bright(pixels, levels)
    assert newly_extreme(pixels, after) == 0
    black, white = ((pixels == level).all(axis=2) for level in (0, 255))
    assert (after[black] == 0).all()
    assert (after[white] == 255).all()


@settings(max_examples=150, deadline=None)
@given(pixels=images(), levels=st.tuples(st.integers(-48, 48), st.integers(-48, 48)))
def test_as_many_levels_apart_as_drawn(pixels, levels):
    middle = ((pixels > 10) & (pixels < 245)).mean()
    assume(middle > 0.6)  # black and white can't move
    first, second = (bright(pixels, level).astype(float) for level in levels)
    difference = np.sqrt(np.square(first - second).mean())
    assert difference > abs(levels[0] - levels[1]) - 1.0  # both are rounded


@pytest.mark.parametrize(("level", "mean"), [(120, 120), (20, 80), (250, 175)])
def test_levels_count_from_the_mean_or_from_within_the_middle(level, mean):
    flat = np.full((8, 8, 3), level, np.uint8)
    assert (bright(flat, 30) == mean + 30).all()
    assert (bright(flat, -30) == mean - 30).all()


def test_values_keep_their_order(image):
    gray = np.repeat(image[..., :1], 3, axis=2)
    for levels in (-48, 48):
        after = bright(gray, levels)
        curve = {int(x): set(after[gray == x].tolist()) for x in np.unique(gray)}
        assert all(len(values) == 1 for values in curve.values())
        in_order = [values.pop() for _, values in sorted(curve.items())]
        assert in_order == sorted(in_order)


def test_darker_keeps_hue_and_saturation_and_brighter_the_hue():
    skin = np.full((8, 8, 3), (210, 150, 120), np.uint8)
    darker, brighter = (bright(skin, levels)[0, 0].astype(float) for levels in (-40, 40))
    assert darker / darker.max() == pytest.approx(np.array([210, 150, 120]) / 210, abs=0.01)
    assert darker.mean() == pytest.approx(120, abs=0.7)
    assert brighter.mean() == pytest.approx(200, abs=0.7)
    assert (brighter[0] - brighter[1]) / (brighter[0] - brighter[2]) == pytest.approx(
        2 / 3, abs=0.02
    )


@pytest.mark.parametrize("levels", [-48, 48])
def test_black_and_white_alone_do_not_change(levels):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:3] = 255
    assert np.array_equal(bright(pixels, levels), pixels)
