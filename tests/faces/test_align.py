from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferdata.core.errors import UnknownNameError
from ferdata.faces.align import (
    ARCFACE_TEMPLATE,
    TRANSFORMS,
    alignment_matrix,
    similarities,
    similarity,
    template,
    transform_name,
    transform_points,
    warp,
)

SIDES = st.integers(16, 300)


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.05, 20),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
    size=SIDES,
    margin=st.floats(0, 1),
)
def test_five_points_go_onto_the_template(
    angle: float, scale: float, x: float, y: float, size: int, margin: float
) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = ARCFACE_TEMPLATE @ turn.T + [x, y]
    matrix = alignment_matrix("five", points, 640, 480, size, margin)
    np.testing.assert_allclose(transform_points(points, matrix), template(size, margin), atol=1e-6)


@given(seed=st.integers(0, 2**32))
def test_similarity_is_least_squares_and_keeps_shape(seed: int) -> None:
    random = np.random.default_rng(seed)
    source, target = random.normal(0, 50, (2, 5, 2))
    matrix = similarity(source, target)
    assert matrix is not None
    a, b = matrix[0, 0], matrix[1, 0]
    np.testing.assert_array_equal(matrix[:, :2], [[a, -b], [b, a]])

    def error(m: np.ndarray) -> float:
        return float(np.sum((transform_points(source, m) - target) ** 2))

    for step in np.eye(4) * 1e-3:
        nudge = np.array([[step[0], -step[1], step[2]], [step[1], step[0], step[3]]])
        assert error(matrix) <= error(matrix + nudge) + 1e-9


def test_the_template_scales_about_pixel_edges_and_margin_widens() -> None:
    np.testing.assert_allclose(template(112), ARCFACE_TEMPLATE)
    np.testing.assert_allclose((template(224) + 0.5) / 2, template(112) + 0.5)
    wide = template(112, 0.25)
    assert np.ptp(wide[:, 0]) == pytest.approx(np.ptp(ARCFACE_TEMPLATE[:, 0]) / 1.5)


@pytest.mark.parametrize(
    "points", [None, np.full((5, 2), np.nan), np.full((5, 2), 7.0)], ids=["none", "nan", "one"]
)
def test_without_usable_points_the_whole_image_is_fitted(points: np.ndarray | None) -> None:
    fitted = alignment_matrix("none", None, 90, 60, 112)
    np.testing.assert_array_equal(alignment_matrix("five", points, 90, 60, 112), fitted)


@given(width=SIDES, height=SIDES, size=SIDES)
def test_fit_takes_edges_to_edges_and_centers(width: int, height: int, size: int) -> None:
    matrix = alignment_matrix("none", None, width, height, size)
    corners = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
    (left, top), (right, bottom) = transform_points(corners, matrix)
    assert max(right - left, bottom - top) == pytest.approx(size)
    assert (left + right) / 2 == pytest.approx((size - 1) / 2)
    assert (top + bottom) / 2 == pytest.approx((size - 1) / 2)


@given(size=SIDES, seed=st.integers(0, 2**32))
def test_equal_sizes_give_equal_pixels(size: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    rendered = warp(pixels, alignment_matrix("none", None, size, size, size), size)
    assert np.array_equal(rendered, pixels)
    assert not np.shares_memory(rendered, pixels)


@pytest.mark.parametrize("side", [40, 100, 257])
@pytest.mark.parametrize("size", [48, 112, 224])
def test_a_square_crop_is_only_resized(side: int, size: int) -> None:
    pixels = smooth(side, side)
    rendered = warp(pixels, alignment_matrix("none", None, side, side, size), size)
    how = cv2.INTER_AREA if size < side else cv2.INTER_LINEAR
    resized = cv2.resize(pixels, (size, size), interpolation=how)
    assert np.abs(rendered.astype(int) - resized).max() <= 2


def test_what_a_wide_picture_leaves_free_repeats_its_edge() -> None:
    pixels = np.zeros((50, 100, 3), np.uint8)
    pixels[:25], pixels[25:] = 200, 40
    rendered = warp(pixels, alignment_matrix("none", None, 100, 50, 100), 100)
    assert (rendered[:25] == 200).all()
    assert (rendered[-25:] == 40).all()


@pytest.mark.parametrize(
    ("border", "above"), [("replicate", 200), ("reflect", 200), ("constant", 0), ("mean", 120)]
)
def test_a_border_fills_what_lies_outside(border: str, above: int) -> None:
    pixels = np.zeros((50, 100, 3), np.uint8)
    pixels[:25], pixels[25:] = 200, 40
    rendered = warp(pixels, alignment_matrix("none", None, 100, 50, 100), 100, border)
    assert (rendered[:20] == above).all()
    assert (rendered[26:49] == 200).all()
    if border == "reflect":  # the lower edge mirrored: 25 rows of the same half
        assert (rendered[76:99] == 40).all()


def test_a_shift_moves_the_template_down() -> None:
    moved = template(100, -0.1, 0.05) - template(100, -0.1)
    np.testing.assert_allclose(moved, [[0, 5]] * 5)
    matrix = alignment_matrix("five", ARCFACE_TEMPLATE * 2, 300, 300, 100, -0.1, 0.05)
    wanted = template(100, -0.1, 0.05)
    np.testing.assert_allclose(transform_points(ARCFACE_TEMPLATE * 2, matrix), wanted, atol=1e-6)


def test_many_similarities_are_those_of_each() -> None:
    sources = np.random.default_rng(0).normal(50, 20, (40, 5, 2))
    sources[3], sources[4, 2, 0] = 7.0, np.nan
    many = similarities(sources, template(112))
    for points, found in zip(sources, many, strict=True):
        one = similarity(points, template(112))
        if one is None:
            assert np.isnan(found).all()
        else:
            np.testing.assert_allclose(found, one, rtol=1e-12)
    assert np.isnan(many[3:5]).all()


def test_shrinking_averages_and_does_not_alias() -> None:
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    rendered = warp(stripes, alignment_matrix("none", None, 800, 800, 100), 100)
    assert np.abs(rendered.astype(int) - 127).max() <= 1
    points = ARCFACE_TEMPLATE * 7 + 3
    turned = warp(stripes, alignment_matrix("five", points, 800, 800, 112), 112)
    assert np.abs(turned.astype(int) - 127).max() <= 25  # 7 pixels a side: 3 or 4 stripes of 7


@pytest.mark.parametrize("scale", [0.15, 0.5, 1.0, 2.7])
@pytest.mark.parametrize("angle", [0.0, 0.4, -1.1])
def test_points_go_where_pixels_go(scale: float, angle: float) -> None:
    width, height, size = 420, 300, 96
    spot = np.array([[205.0, 161.0]])
    turn = scale * np.exp(1j * angle)
    center = np.array([size * 0.45, size * 0.55])
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    matrix = np.column_stack([linear, center - linear @ spot[0]])
    ys, xs = np.mgrid[:height, :width]
    radius = max(2.0, 3.0 / scale)
    bell = np.exp(-((xs - spot[0, 0]) ** 2 + (ys - spot[0, 1]) ** 2) / (2 * radius**2))
    rendered = warp(np.repeat((bell * 255).astype(np.uint8)[..., None], 3, axis=2), matrix, size)
    weight = rendered[..., 0].astype(float)
    ys, xs = np.mgrid[:size, :size]
    found = np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum()
    np.testing.assert_allclose(found, transform_points(spot, matrix)[0], atol=0.15)


def test_points_keep_shape_dtype_and_unknowns() -> None:
    matrix = alignment_matrix("none", None, 50, 50, 100)
    points = np.zeros((3, 68, 2), np.float32)
    points[1] = np.nan
    moved = transform_points(points, matrix)
    assert moved.shape == points.shape
    assert moved.dtype == np.float32
    assert np.isnan(moved[1]).all()
    assert (moved[0] == 0.5).all()


def test_transforms_have_versions() -> None:
    assert transform_name("five") == "five-arcface/2"
    assert all("/" in name for name in TRANSFORMS.values())
    with pytest.raises(UnknownNameError, match="five"):
        alignment_matrix("fife", None, 10, 10, 10)


def smooth(height: int, width: int) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width]
    waves = [np.sin(xs / width * 5 + c) + np.cos(ys / height * 4 - c) for c in range(3)]
    return ((np.stack(waves, axis=-1) + 2) / 4 * 255).astype(np.uint8)
