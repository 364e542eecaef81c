from __future__ import annotations

import cv2
import numpy as np
import pytest

from ferdata.faces.align import alignment_matrix
from ferdata.faces.outside import outside_shares


def test_shares_are_those_of_pixels_that_a_rendering_leaves_free() -> None:
    random, size = np.random.default_rng(0), 150
    sides = random.integers(30, 300, (60, 2)).astype(float)
    matrices = np.zeros((60, 2, 3))
    for matrix, side in zip(matrices, sides, strict=True):
        turn = random.uniform(0.3, 3) * np.exp(1j * random.normal(0, 0.7))
        matrix[:, :2] = [[turn.real, -turn.imag], [turn.imag, turn.real]]
        matrix[:, 2] = random.uniform(40, 110, 2) - matrix[:, :2] @ (side / 2)
    counted = [
        (rendered(matrix, side, size) == 0).mean()
        for matrix, side in zip(matrices, sides, strict=True)
    ]
    found = outside_shares(matrices, sides, size)
    assert max(counted) > 0.5
    assert min(counted) == 0
    np.testing.assert_allclose(found, counted, atol=0.003)


@pytest.mark.parametrize(
    ("width", "height", "outside"), [(80, 80, 0), (100, 50, 0.5), (30, 90, 2 / 3)]
)
def test_a_whole_image_leaves_what_is_not_square(width: int, height: int, outside: float) -> None:
    matrix = alignment_matrix("none", None, width, height, 64)
    found = outside_shares(matrix[None], np.array([[width, height]], float), 64)
    assert found.tolist() == pytest.approx([outside], abs=1e-9)
    assert not np.signbit(found).any()  # -0 would be another value to a digest


def test_an_image_that_is_missed_is_outside_and_no_image_is_no_number() -> None:
    far = np.array([[[1.0, 0, 500], [0, 1, 0]]])
    assert outside_shares(far, np.array([[50.0, 50]]), 64).tolist() == [1]
    assert outside_shares(np.empty((0, 2, 3)), np.empty((0, 2)), 64).shape == (0,)


def rendered(matrix: np.ndarray, side: np.ndarray, size: int) -> np.ndarray:
    white = np.full((int(side[1]), int(side[0])), 255, np.uint8)
    return cv2.warpAffine(white, matrix, (size, size), flags=cv2.INTER_NEAREST)
