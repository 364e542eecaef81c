"""Geometric operations: pixels, points and boxes go the same way, within what was declared."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.drawing import draw_independently
from ferdata.augmentation.operations import KINDS, Crop, Rotation, Scale, Translation, VerticalFlip
from ferdata.core.draws import generator
from ferdata.core.errors import ManifestError, OptionError

WIDTH, HEIGHT = 112, 96
FIVE = np.array([[42.0, 38.0], [69.0, 36.0], [55.0, 50.0], [45.0, 61.0], [66.0, 62.0]])

MOVES = [
    {"op": "vertical_flip"},
    {"op": "rotation", "degrees": 20.0},
    {"op": "rotation", "degrees": -7.25},
    {"op": "scale", "factor": 0.8},
    {"op": "scale", "factor": 1.2},
    {"op": "translation", "x": 0.1, "y": -0.0437},
    {"op": "crop", "left": 0.2, "top": 0.0, "right": 0.05, "bottom": 0.1333},
]


def draw_dot(x: float, y: float) -> np.ndarray:
    """A round bright dot on black, its centroid at (x, y)."""
    columns, rows = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    dot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 1.5**2))
    return np.repeat(np.rint(dot).astype(np.uint8)[..., None], 3, axis=2)


def find_dot(pixels: np.ndarray) -> np.ndarray:
    weights = pixels[..., 0].astype(np.float64)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


@pytest.mark.parametrize("steps", [*([move] for move in MOVES), MOVES], ids=str)
def test_every_landmark_stays_on_its_dot(steps):
    text = json.dumps(steps)
    for index, (x, y) in enumerate(FIVE):
        out = apply_operations(
            draw_dot(x, y), text, landmarks=FIVE, scheme="five", five_points=FIVE
        )
        found = find_dot(out.pixels)
        assert np.abs(out.landmarks[index] - found).max() < 0.15
        assert np.array_equal(out.landmarks, out.five_points)


@pytest.mark.parametrize("degrees", [20.0, -20.0])
def test_a_positive_rotation_is_counter_clockwise(degrees):
    above = np.full((5, 2), ((WIDTH - 1) / 2, 10.0))
    text = json.dumps([{"op": "rotation", "degrees": degrees}])
    moved = apply_operations(draw_dot(*above[0]), text, five_points=above).five_points[0]
    assert (moved[0] < above[0, 0]) == (degrees > 0)


def test_the_center_stays_where_it_is():
    center = np.full((5, 2), ((WIDTH - 1) / 2, (HEIGHT - 1) / 2))
    text = '[{"op":"rotation","degrees":33},{"op":"scale","factor":1.3},{"op":"vertical_flip"}]'
    moved = apply_operations(draw_dot(*center[0]), text, five_points=center).five_points
    assert np.allclose(moved, center)


def test_a_translation_of_whole_pixels_moves_and_repeats_the_edge(image):
    text = json.dumps([{"op": "translation", "x": 14 / 112, "y": -12 / 96}])
    out = apply_operations(image, text).pixels
    assert np.array_equal(out[:-12, 14:], image[12:, :-14])
    assert np.array_equal(out[:-12, 3], image[12:, 0])
    assert np.array_equal(out[-1, 14:], image[-1, :-14])


def test_a_crop_is_the_rest_enlarged_edge_to_edge(image):
    text = json.dumps([{"op": "crop", "left": 0.25, "top": 0.125, "right": 0.25, "bottom": 0.375}])
    rest = image[12:60, 28:84]
    expected = cv2.resize(rest, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    out = apply_operations(image, text)
    inside = np.s_[2:-2, 2:-2]  # at the border the crop still sees its neighbors
    assert np.abs(out.pixels[inside].astype(int) - expected[inside]).max() <= 3


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_a_box_becomes_the_upright_box_around_its_moved_corners(move):
    box = np.array([30.0, 20.0, 80.0, 70.0])
    corners = np.array([[30, 20], [80, 20], [80, 70], [30, 70], [30, 20]], np.float64)
    out = apply_operations(
        np.zeros((HEIGHT, WIDTH, 3), np.uint8), json.dumps([move]), five_points=corners, box=box
    )
    low, high = out.five_points.min(axis=0), out.five_points.max(axis=0)
    assert np.allclose(out.box, [*low, *high])
    assert out.box[0] < out.box[2]
    assert out.box[1] < out.box[3]


def test_unknown_points_and_boxes_stay_unknown():
    landmarks = FIVE.copy()
    landmarks[2] = np.nan
    text = json.dumps(MOVES)
    known = apply_operations(draw_dot(50, 50), text, landmarks=FIVE, scheme="five")
    out = apply_operations(draw_dot(50, 50), text, landmarks=landmarks, scheme="five")
    assert np.isnan(out.landmarks).any(axis=1).tolist() == [False, False, True, False, False]
    rest = [0, 1, 3, 4]
    assert np.array_equal(out.landmarks[rest], known.landmarks[rest])
    assert np.isnan(out.five_points).all()
    assert np.isnan(out.box).all()


def test_a_vertical_flip_exchanges_top_and_bottom_but_no_sides(image):
    flip = '[{"op":"vertical_flip"}]'
    once = apply_operations(image, flip, landmarks=FIVE, scheme="five", box=[1.0, 2.0, 3.0, 5.0])
    assert np.array_equal(once.pixels, image[::-1])
    assert once.landmarks[0, 0] < once.landmarks[1, 0]  # the image-left eye is on the left
    assert (once.landmarks[:2, 1] > once.landmarks[3:, 1]).all()  # eyes below the mouth
    assert once.box.tolist() == [1.0, 90.0, 3.0, 93.0]
    twice = apply_operations(
        once.pixels, flip, landmarks=once.landmarks, scheme="five", box=once.box
    )
    assert np.array_equal(twice.pixels, image)
    assert np.array_equal(twice.landmarks, FIVE)
    assert twice.box.tolist() == [1.0, 2.0, 3.0, 5.0]


def test_geometry_is_the_same_with_any_number_of_threads(image):
    large = np.tile(image, (5, 5, 1))
    threads = cv2.getNumThreads()
    rendered = []
    for number in (1, 4):
        cv2.setNumThreads(number)
        rendered.append(apply_operations(large, json.dumps(MOVES)).pixels)
    cv2.setNumThreads(threads)
    assert np.array_equal(*rendered)


@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("kind", [Rotation, Scale, Translation, Crop])
@given(ends=st.tuples(*[st.integers(0, 10_000)] * 2), both=st.booleans(), seed=st.integers(0, 9999))
def test_drawn_values_are_within_their_range_and_show(kind, ends, both, seed):
    ((option, (least, most)),) = kind.limits.items()
    low, high = sorted(round(least + (most - least) * end / 1e4, 4) for end in ends)
    options = {option: (low, high)}
    if kind in (Rotation, Translation):
        options["both_ways"] = both
    if kind.largest_change((low, high)) < kind.least:
        with pytest.raises(OptionError, match="allows no visible change"):
            kind(**options)
        return
    drawn = kind(**options).draw(generator(seed, "a"))
    assert tuple(drawn) == kind.drawn
    assert kind.accepts(drawn)
    sizes = [abs(value) for value in drawn.values()]
    assert low <= min(sizes) <= max(sizes) <= high
    change = max(abs(size - (kind is Scale)) for size in sizes)
    assert change >= kind.least - 1e-5
    assert options.get("both_ways") or min(drawn.values()) >= 0


def test_both_ways_means_both_and_one_way_means_one():
    for both, expected in ((True, {-1.0, 1.0}), (False, {1.0})):
        rotation, shift = Rotation(both_ways=both), Translation(both_ways=both)
        draws = [generator(0, str(i)) for i in range(40)]
        assert {np.sign(rotation.draw(draw)["degrees"]) for draw in draws} == expected
        shifts = [shift.draw(draw) for draw in draws]
        assert {np.sign(drawn["x"]) for drawn in shifts} == expected
        assert {np.sign(drawn["y"]) for drawn in shifts} == expected


@pytest.mark.parametrize("size", [48, 112])
@pytest.mark.parametrize(
    "operation",
    [
        Rotation(1.0, degrees=(0.0, 0.1)),
        Crop(1.0, share=(0.0, 0.002)),
        Scale(1.0, factor=(0.998, 1.0)),
        Scale(1.0, factor=(1.0, 1.002)),
        Translation(1.0, share=(0.0, 0.002)),
    ],
    ids=lambda operation: operation.name,
)
def test_the_least_draw_still_changes_the_image(image, operation, size):
    small = cv2.resize(image, (size, size))
    for seed in range(5):
        text = draw_independently([operation], seed, "a", 1)
        assert not np.array_equal(apply_operations(small, text).pixels, small)


def test_a_vertical_flip_alone_has_no_strength_and_a_rotation_has():
    text = draw_independently([VerticalFlip(1.0), Rotation(0.0)], 0, "a", 1)
    assert [entry["op"] for entry in json.loads(text)] == ["vertical_flip", "rotation"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Rotation(degrees=(0.0, 181.0)), "degrees 0.0–181.0 is not a range within 0–180"),
        (lambda: Rotation(degrees=(-5.0, 5.0)), "not a range within"),
        (lambda: Rotation(degrees=(0.0, 0.0)), "degrees allows no visible change"),
        (lambda: Rotation(degrees=20.0), r"two numbers, \[low, high\]; got 20"),
        (lambda: Rotation(both_ways="yes"), "both_ways is true or false"),
        (lambda: Scale(factor=(1.0, 1.0)), "factor allows no visible change"),
        (lambda: Scale(factor=(0.1, 1.0)), "not a range within 0.5–2"),
        (lambda: Translation(share=(0.0, 0.6)), "not a range within 0–0.5"),
        (lambda: Crop(share=(0.0, 0.5)), "not a range within 0–0.45"),
        (lambda: Crop(share=(0.0, float("nan"))), "two numbers"),
        (lambda: Crop(share=(True, 0.2)), "two numbers"),
    ],
)
def test_impossible_ranges_are_named(make, says):
    with pytest.raises(OptionError, match=says):
        make()


@pytest.mark.parametrize(
    "entry",
    [
        {"op": "rotation", "degrees": "20"},
        {"op": "rotation", "degrees": True},
        {"op": "rotation"},
        {"op": "scale", "factor": 0},
        {"op": "scale", "factor": -1.0},
        {"op": "translation", "x": 0.1},
        {"op": "crop", "left": 0.5, "top": 0, "right": 0.5, "bottom": 0},
        {"op": "crop", "left": -0.1, "top": 0, "right": 0.1, "bottom": 0},
        {"op": "vertical_flip", "y": 1},
    ],
    ids=str,
)
def test_impossible_stored_values_are_named(image, entry):
    takes = "no values" if entry["op"] == "vertical_flip" else KINDS.get(entry["op"]).drawn[0]
    with pytest.raises(ManifestError, match=f"{entry['op']} takes {takes}"):
        apply_operations(image, json.dumps([entry]))
