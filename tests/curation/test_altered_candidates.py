"""The index of features: exact for few images, by cells for many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ferdata.curation.altered_copies import candidates
from ferdata.curation.altered_copies.candidates import Index
from ferdata.curation.altered_copies.features import LENGTH, MIRROR

IMAGES, COPIES = 3_000, 200


@pytest.fixture(scope="module")
def features() -> npt.NDArray[np.float16]:
    """Features, the last of which are near copies of the first; every second one is mirrored."""
    draws = np.random.default_rng(0)
    originals = draws.normal(0, 1, (IMAGES - COPIES, LENGTH))
    copies = originals[:COPIES] + draws.normal(0, 0.5, (COPIES, LENGTH))
    copies[1::2] *= MIRROR
    return np.concatenate((originals, copies)).astype(np.float16)


def no_groups(images: int = IMAGES) -> npt.NDArray[np.int64]:
    return np.full(images, -1)


@pytest.mark.parametrize("exact_rows", [IMAGES, 100])
def test_copies_and_mirrored_copies_are_nearest(
    features: npt.NDArray[np.float16], exact_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "EXACT_ROWS", exact_rows)
    monkeypatch.setattr(candidates, "_PROBED", 6)
    rows = np.arange(IMAGES)
    found = Index(rows, features, no_groups()).neighbors(rows, features, 2)
    right = found.row[-COPIES:, 0] == np.arange(COPIES)
    assert right.mean() >= (1.0 if exact_rows == IMAGES else 0.98)
    np.testing.assert_array_equal(found.mirrored[-COPIES:, 0][right], np.arange(COPIES)[right] % 2)


def test_neighbors_are_those_of_plain_arithmetic(features: npt.NDArray[np.float16]) -> None:
    rows = np.arange(IMAGES)
    index = Index(rows, features, no_groups())
    found = index.neighbors(rows[:50], features[:50], 3)
    vectors = index._standardized(features)
    straight = vectors[:50] @ vectors.T
    mirrored = (vectors[:50] * MIRROR) @ vectors.T
    cosine = np.maximum(straight, mirrored)
    cosine[np.arange(50), np.arange(50)] = -1
    cosine[cosine < candidates.LEAST_COSINE] = -1
    best = np.argsort(-cosine, axis=1, kind="stable")[:, :3]
    for query in range(50):
        expected = [row for row in best[query].tolist() if cosine[query, row] >= 0]
        assert [row for row in found.row[query].tolist() if row >= 0] == expected
        values = found.cosine[query, : len(expected)]
        np.testing.assert_allclose(values, cosine[query, expected], atol=2e-3)


def test_images_of_one_group_are_no_neighbors(features: npt.NDArray[np.float16]) -> None:
    groups = no_groups()
    groups[:10] = groups[-COPIES : -COPIES + 10] = np.arange(10)
    rows = np.arange(IMAGES)
    found = Index(rows, features, groups).neighbors(rows[-COPIES:], features[-COPIES:], 1)
    assert not np.isin(found.row[:10, 0], np.arange(10)).any()
    np.testing.assert_array_equal(found.row[10:20, 0], np.arange(10, 20))


def test_query_of_an_image_that_is_not_in_the_index(features: npt.NDArray[np.float16]) -> None:
    index = Index(np.arange(5, 100), features[5:100], no_groups())
    found = index.neighbors(np.array([2]), features[7:8], 1)
    assert found.row.tolist() == [[7]]


def test_two_images_are_neighbors() -> None:
    """The mean of two images would lie between them and make opposites of them."""
    first = np.random.default_rng(1).normal(0, 2, (1, LENGTH))
    second = first + np.random.default_rng(2).normal(0, 0.3, (1, LENGTH))
    both = np.concatenate((first, second)).astype(np.float16)
    found = Index(np.arange(2), both, no_groups(2)).neighbors(np.arange(2), both, 1)
    assert found.row.tolist() == [[1], [0]]
    assert found.cosine.min() > 0.9
