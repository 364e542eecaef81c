"""Contrast and histogram equalization."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.operations import Contrast
from ferdata.augmentation.operations.photometric import equalize_histogram
from ferdata.core.draws import generator

EQUALIZE = '[{"op":"histogram_equalization"}]'


@pytest.fixture(scope="module")
def dull() -> np.ndarray:
    """Smooth colors in a narrow range, uint8 (64, 64, 3)."""
    y, x = np.mgrid[:64, :64]
    return np.stack([110 + x // 2, 100 + y // 3, 90 + (x + y) // 6], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_contrast_changes_spread_and_keeps_the_mean(dull, factor):
    out = apply_operations(dull, json.dumps([{"op": "contrast", "factor": factor}])).pixels
    assert out.std() == pytest.approx(factor * dull.std(), rel=0.25)
    before, after = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (dull, out))
    assert after.mean() == pytest.approx(before.mean(), abs=0.6)
    assert after.std() == pytest.approx(factor * before.std(), rel=0.05)
    mean = before.mean()
    expected = np.clip(np.rint(dull * factor + (1 - factor) * mean), 0, 255)
    assert np.array_equal(out, expected)


@settings(max_examples=60, deadline=None)
@given(
    change=st.tuples(st.integers(100, 9000), st.integers(100, 9000)).map(sorted),
    seed=st.integers(0, 2**32),
)
def test_drawn_contrasts_are_within_their_range(change, seed):
    low, high = (value / 1e4 for value in change)
    factor = Contrast(change=(low, high)).draw(generator(seed, "a"))["factor"]
    assert low <= round(abs(factor - 1), 4) <= high


def test_gray_images_are_equalized_as_opencv_does(dull):
    gray = np.ascontiguousarray(dull[..., 0])
    expected = cv2.equalizeHist(gray)
    assert np.array_equal(equalize_histogram(gray), expected)
    assert np.array_equal(equalize_histogram(gray[..., None])[..., 0], expected)
    in_three = np.repeat(gray[..., None], 3, axis=2)
    out = apply_operations(in_three, EQUALIZE).pixels
    assert np.array_equal(out, np.repeat(expected[..., None], 3, axis=2))


def test_equalization_spreads_luminance_and_keeps_hue(dull):
    before = dull.copy()
    out = equalize_histogram(dull)
    assert np.array_equal(dull, before)
    luminance = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
    assert luminance.min() < 15
    assert luminance.max() > 230
    chroma, new = (cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 1:] for image in (dull, out))
    unclipped = (out.min(axis=2) > 0) & (out.max(axis=2) < 255)
    assert unclipped.mean() > 0.5
    assert np.abs(chroma.astype(int) - new)[unclipped].max() <= 2


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 1), (8, 9, 3)])
def test_one_gray_level_stays_as_it_is(shape):
    flat = np.full(shape, 77, np.uint8)
    assert np.array_equal(equalize_histogram(flat), flat)
