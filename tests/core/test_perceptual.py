"""Perceptual hashes: copies are near, other images far, and all near pairs are found."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.core import perceptual
from ferdata.core.draws import generator
from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.labels import CANONICAL
from ferdata.core.perceptual import (
    NEAR_THRESHOLD,
    decode_hashes,
    distances,
    near_pairs,
    perceptual_hash,
)
from ferdata.synth import draw_face


def bits_between(first: np.ndarray, second: np.ndarray) -> int:
    words = decode_hashes([perceptual_hash(first), perceptual_hash(second)])
    return int(distances(words[0], words[1]))


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def resized(pixels: np.ndarray, *sides: int) -> np.ndarray:
    for side in sides:
        way = cv2.INTER_AREA if side < pixels.shape[0] else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, (side, side), interpolation=way)
    return pixels


def brightened(pixels: np.ndarray, factor: float) -> np.ndarray:
    return (pixels * factor).round().clip(0, 255).astype(np.uint8)


def in_gray(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


GOLDEN = "00010168c8a04415e670f8b4f81ef8af7e2d515de883dfa4de9f07dfbc1bede4"

COPIES = {
    "jpeg 75": lambda pixels: jpeg(pixels, 75),
    "jpeg 95": lambda pixels: jpeg(pixels, 95),
    "there and back": lambda pixels: resized(pixels, 48, pixels.shape[0]),
    "larger": lambda pixels: resized(pixels, 224),
    "smaller": lambda pixels: resized(pixels, 96),
    "brighter": lambda pixels: brightened(pixels, 1.1),
    "darker": lambda pixels: brightened(pixels, 0.9),
    "gray": in_gray,
}


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    return [
        draw_face(CANONICAL[number % 8], generator(0, f"face {number}"), 100).pixels
        for number in range(40)
    ]


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[60:180, 170:290])


@pytest.mark.parametrize("copy", COPIES)
def test_copies_of_an_image_are_near(
    copy: str, faces: list[np.ndarray], astronaut: np.ndarray
) -> None:
    found = [bits_between(image, COPIES[copy](image)) for image in (*faces, astronaut)]
    assert max(found) <= NEAR_THRESHOLD
    assert found[-1] <= 8


def test_other_images_are_far(faces: list[np.ndarray], astronaut: np.ndarray) -> None:
    words = decode_hashes([perceptual_hash(image) for image in (*faces, astronaut)])
    found = [int(distances(words[a], words[b])) for a, b in combinations(range(len(words)), 2)]
    assert min(found) > 2 * NEAR_THRESHOLD
    assert bits_between(astronaut, astronaut[:, ::-1]) > 100
    assert bits_between(astronaut, np.roll(astronaut, 8, axis=0)) > 30


def test_a_hash_is_the_same_on_every_machine() -> None:
    y, x = np.mgrid[0:64, 0:64]
    image = np.stack([(x * y + 7 * x * x + 3 * y) % 251] * 3, axis=-1).astype(np.uint8)
    assert perceptual_hash(image) == GOLDEN
    assert perceptual_hash((image // 4) * 2) == perceptual_hash((image // 4) * 2 + 99)


def test_images_without_structure_have_the_empty_hash() -> None:
    noise = np.random.default_rng(0).integers(-2, 3, (50, 60, 3))
    for image in (np.full((50, 60, 3), 90), 90 + noise, np.zeros((16, 16, 3))):
        assert perceptual_hash(image.astype(np.uint8)) == "0" * 64


def test_hashes_are_decoded_in_order() -> None:
    words = decode_hashes(["0" * 63 + "1", "8" + "0" * 63])
    assert words.dtype == np.uint64
    assert words.tolist() == [[0, 0, 0, 1], [2**63, 0, 0, 0]]
    assert decode_hashes([]).shape == (0, 4)


@pytest.mark.parametrize("wrong", ["", "0" * 63, "0" * 65, "0" * 63 + "x"])
def test_what_is_no_hash_is_refused(wrong: str) -> None:
    with pytest.raises(ManifestError, match="not a perceptual hash"):
        decode_hashes(["0" * 64, wrong])


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 4), st.sets(st.integers(0, 255), max_size=12)), max_size=30
    ),
    threshold=st.integers(0, 15),
)
def test_exactly_the_near_pairs_are_found(rows: list[tuple[int, set[int]]], threshold: int) -> None:
    bases = np.random.default_rng(1).integers(0, 2**64, (5, 4), dtype=np.uint64)
    hashes = np.array([bases[base] for base, _ in rows], np.uint64).reshape(-1, 4)
    for row, (_, flips) in enumerate(rows):
        for bit in flips:
            hashes[row, bit // 64] ^= np.uint64(1 << bit % 64)
    pairs, bits = near_pairs(hashes, threshold)
    first: dict[bytes, int] = {}
    last: dict[bytes, int] = {}
    expected = {}
    for row, words in enumerate(hashes):
        key = words.tobytes()
        if key in last:
            expected[last[key], row] = 0
        last[key] = row
        first.setdefault(key, row)
    for a, b in combinations(sorted(first.values()), 2):
        if (distance := int(distances(hashes[a], hashes[b]))) <= threshold:
            expected[a, b] = distance
    assert [tuple(pair) for pair in pairs.tolist()] == sorted(expected)
    assert bits.tolist() == [expected[pair] for pair in sorted(expected)]


def test_equal_hashes_are_a_chain_and_small_blocks_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashes = np.random.default_rng(2).integers(0, 2**64, (1500, 4), dtype=np.uint64)
    hashes[200:1200] = hashes[0]
    hashes[1200:, 1:] = hashes[0, 1:]  # one large bucket, and most of it far
    hashes[1300] = hashes[0] ^ np.array([3, 0, 0, 0], np.uint64)
    pairs, bits = near_pairs(hashes, 15)
    equal = pairs[bits == 0]
    assert equal.tolist() == [[0, 200], *([row, row + 1] for row in range(200, 1199))]
    assert [0, 1300] in pairs[bits == 2].tolist()
    monkeypatch.setattr(perceptual, "_CANDIDATES", 100)
    monkeypatch.setattr(perceptual, "_BLOCK", 7)
    again, bits_again = near_pairs(hashes, 15)
    assert np.array_equal(again, pairs) and np.array_equal(bits_again, bits)


def test_the_empty_hash_is_near_nothing() -> None:
    hashes = np.zeros((6, 4), np.uint64)
    hashes[4:, 0] = 1  # a single bit away from the empty ones
    assert near_pairs(hashes, 15)[0].tolist() == [[4, 5]]


@pytest.mark.parametrize("threshold", [-1, 16, 2.5])
def test_the_threshold_has_limits(threshold: float) -> None:
    with pytest.raises(OptionError, match="0 to 15 of 256 bits"):
        near_pairs(np.zeros((2, 4), np.uint64), threshold)
