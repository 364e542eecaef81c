"""Copies of one image: apart from each other on any image, and each a function of its own row."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.augmentation.balance import balance
from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.drawing import CYCLE, draw_apart
from ferdata.augmentation.operation_config import list_names, load_operations
from ferdata.augmentation.operations import Albumentations, Brightness, HorizontalFlip, Rotation
from ferdata.core.draws import generator
from ferdata.core.errors import OptionError
from ferdata.synth import draw_expression, draw_face

NEAREST = 30.0  # dB


@cache
def face(seed: int, size: int = 48) -> np.ndarray:
    draws = generator(seed, "siblings")
    name = ("anger", "fear", "happiness", "neutral")[seed % 4]
    return draw_face(draw_expression(name, draws), draws, size).pixels


def letterboxed() -> np.ndarray:
    pixels = face(0).copy()
    pixels[:, :16] = 0  # black border, as a rotated image may have
    return pixels


def in_gray(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


IMAGES = {
    "face": lambda: face(1),
    "face of 100 pixels": lambda: face(2, 100),
    "face beside black": letterboxed,
    "dark face": lambda: face(3) // 8,
    "bright face": lambda: 255 - (255 - face(3)) // 8,
    "face of low contrast": lambda: 100 + face(3) // 8,
    "gray face": lambda: in_gray(face(4)),
    "one dark level": lambda: np.full((48, 48, 3), 3, np.uint8),
    "one middle level": lambda: np.full((48, 48, 3), 120, np.uint8),
    "one bright level": lambda: np.full((48, 48, 3), 253, np.uint8),
    "two levels": lambda: np.repeat(np.array([3, 250], np.uint8), 48 * 24 * 3).reshape(48, 48, 3),
}
FACES = [name for name in IMAGES if "face" in name]


def nearest(images: list[np.ndarray]) -> float:
    """Return the largest PSNR of two images, dB, or of one and the other's mirror image."""
    flat = np.stack(images).reshape(len(images), -1).astype(float)
    mirrored = np.stack([image[:, ::-1] for image in images]).reshape(flat.shape).astype(float)
    length = np.square(flat).sum(axis=1)
    closest = length[:, None] + length - 2 * np.maximum(flat @ flat.T, flat @ mirrored.T)
    error = closest[np.triu_indices(len(images), 1)].min() / flat.shape[1]
    return 10 * np.log10(255**2 / max(error, 1e-9))


def copies(pixels: np.ndarray, name: str, seed: int, sample_id: str = "a") -> list[np.ndarray]:
    operations = load_operations(name)
    drawn = [draw_apart(operations, seed, sample_id, index) for index in range(1, CYCLE + 1)]
    return [apply_operations(pixels, text).pixels for text in drawn]


@pytest.mark.parametrize("image_name", IMAGES)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), sample_id=st.text(max_size=8))
def test_no_two_copies_are_closer_than_30_db(image_name, seed, sample_id):
    images = copies(IMAGES[image_name](), "default", seed, sample_id)
    assert nearest(images) < NEAREST


@pytest.mark.parametrize("image_name", FACES)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**63 - 1))
def test_no_two_copies_that_also_move_are_closer_than_30_db(image_name, seed):
    assert nearest(copies(IMAGES[image_name](), "standard", seed)) < NEAREST


def test_black_and_white_alone_are_the_exception():
    black = np.zeros((48, 48, 3), np.uint8)
    assert nearest(copies(black, "default", seed=0)) > NEAREST


def test_copies_stay_apart_in_gray_and_from_their_parent():
    images = [face(1), *copies(face(1), "default", seed=5)]
    assert nearest(images) < NEAREST
    gray = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in images]
    assert nearest(gray) < NEAREST


def test_the_same_operations_drawn_independently_are_not_apart(unbalanced):
    """What the test above measures is not there by itself."""
    done = balance(unbalanced, draws="independent").table.to_pylist()
    drawn = [row["operations"] for row in done if row["parent_id"] == "demo/train_disgust_0"]
    assert nearest([apply_operations(face(1), text).pixels for text in drawn]) > NEAREST


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), first=st.integers(1, 60))
def test_no_copy_has_one_operation_only_where_the_list_holds_four(seed, first):
    for name in list_names():
        operations = load_operations(name)
        for index in range(first, first + CYCLE):
            assert len(json.loads(draw_apart(operations, seed, "a", index))) >= 2


@pytest.mark.parametrize("name", list_names())
def test_of_two_neighbors_in_brightness_at_least_one_has_noise(name):
    operations = load_operations(name)
    for seed in range(60):
        drawn = [json.loads(draw_apart(operations, seed, "a", k)) for k in range(1, CYCLE + 1)]
        copies_by_op = [{entry["op"]: entry for entry in entries} for entries in drawn]
        in_order = sorted(copies_by_op, key=lambda entries: entries["brightness"]["levels"])
        noisy = ["gaussian_noise" in entries for entries in in_order]
        assert all(one or other for one, other in pairwise(noisy))
        assert sum(noisy) <= 12


def test_strengths_are_spread_evenly_over_siblings():
    drawn = [
        json.loads(draw_apart([Brightness(1.0)], 3, "a", k))[0]["levels"] for k in range(1, 18)
    ]
    positions = sorted((abs(x) - 9) / 39 * np.sign(x) for x in drawn)
    assert np.diff(positions) == pytest.approx(2 / 17, abs=1e-4)
    turned = [json.loads(draw_apart([Rotation(0.5)], 3, "a", k)) for k in range(1, 18)]
    ways = [np.sign(entries[0]["degrees"]) for entries in turned]
    assert abs(sum(ways)) <= 1


def test_a_copy_by_itself_is_distributed_as_declared():
    operations = load_operations("standard")
    drawn = [json.loads(draw_apart(operations, seed, "a", 5)) for seed in range(3000)]
    for operation in operations:
        entries = [e for each in drawn for e in each if e["op"] == operation.name]
        assert len(entries) / 3000 == pytest.approx(operation.probability, abs=0.04)
    levels = np.array([e["levels"] for each in drawn for e in each if e["op"] == "brightness"])
    assert (levels > 0).mean() == pytest.approx(0.5, abs=0.04)
    assert np.abs(levels).mean() == pytest.approx((9 + 48) / 2, abs=1)
    assert np.abs(levels).min() >= 9
    assert np.abs(levels).max() <= 48


def test_a_copy_depends_on_nothing_but_seed_image_and_number():
    operations = load_operations("default")
    backward = [draw_apart(operations, 1, "a", index) for index in range(40, 0, -1)]
    forward = [draw_apart(operations, 1, "a", index) for index in range(1, 41)]
    assert forward == backward[::-1]
    assert len(set(forward)) == 40
    assert draw_apart(operations, 1, "b", 1) != forward[0] != draw_apart(operations, 2, "a", 1)


def test_the_draws_of_a_copy_never_change():
    """Pinned: a change here changes every build that was ever made with these draws."""
    operations = load_operations("default")
    assert [draw_apart(operations, 0, "rafdb/train_00001", copy) for copy in (1, 18)] == [
        '[{"op":"brightness","levels":-31.058},'
        '{"op":"gaussian_noise","sigma":8.2974,"seed":1264008634,"color":false}]',
        '[{"op":"horizontal_flip"},{"op":"brightness","levels":-39.0041},'
        '{"op":"gaussian_noise","sigma":9.3533,"seed":1507050523,"color":false}]',
    ]


def test_too_few_operations_are_filled_up():
    assert json.loads(draw_apart([HorizontalFlip(0.0)], 0, "a", 1)) == [{"op": "horizontal_flip"}]
    pair = [HorizontalFlip(1.0), Brightness(0.0)]
    assert [e["op"] for e in json.loads(draw_apart(pair, 0, "a", 1))] == [
        "horizontal_flip",
        "brightness",
    ]
    with pytest.raises(OptionError, match="no operation"):
        draw_apart([], 0, "a", 1)


def test_operations_that_draw_a_seed_first_get_different_ones():
    drawn = [
        json.loads(draw_apart([Albumentations(1.0, transform="GaussNoise")], 0, "a", k))[0]["seed"]
        for k in range(1, 40)
    ]
    assert len(set(drawn)) == 39
