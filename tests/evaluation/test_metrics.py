"""Scores against values worked out by hand or published."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.evaluation.metrics import score, wilson_interval

LABELS = ("anger", "fear", "happiness")
CONFUSION = np.array([[3, 1, 0], [2, 4, 0], [0, 1, 9]])


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (95, 99, 0.901, 0.984),  # the CK+ test set of I-MobileNetV2
        (98, 99, 0.945, 0.998),  # the CK+ test set of CTAN
        (0, 10, 0.0, 0.278),
        (10, 10, 0.722, 1.0),
    ],
)
def test_wilson_interval_has_the_published_values(hits, n, low, high):
    assert wilson_interval(hits, n) == pytest.approx((low, high), abs=5e-4)


def test_wilson_interval_of_nothing_is_everything():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_solves_its_equation(counts):
    hits, n = counts
    p = hits / n
    for bound in wilson_interval(hits, n):
        # each end is a true share b whose score test just rejects p: (p − b)² = z² b(1−b)/n
        variance = bound * (1 - bound) / n
        assert (p - bound) ** 2 == pytest.approx(1.959963984540054**2 * variance, abs=1e-12)


def test_scores_of_a_small_matrix():
    scores = score(CONFUSION, LABELS)
    assert scores.n == 20
    assert scores.accuracy == pytest.approx(16 / 20)
    anger, fear, happiness = scores.per_class
    assert (anger.n, fear.n, happiness.n) == (4, 6, 10)
    assert anger.precision == pytest.approx(3 / 5)
    assert anger.recall == pytest.approx(3 / 4)
    assert anger.f1 == pytest.approx(2 * (3 / 5) * (3 / 4) / (3 / 5 + 3 / 4))
    assert fear.precision == pytest.approx(4 / 6)
    assert happiness.recall == pytest.approx(9 / 10)
    assert scores.macro_recall == pytest.approx((3 / 4 + 4 / 6 + 9 / 10) / 3)
    assert scores.majority_label == "happiness"
    assert scores.majority_accuracy == pytest.approx(10 / 20)


def test_a_class_without_images_has_no_recall_and_no_part_in_the_means():
    scores = score([[2, 1, 0], [0, 0, 0], [0, 0, 3]], LABELS)
    assert scores.per_class[1].recall is None
    assert scores.per_class[1].precision == 0
    assert scores.macro_recall == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_that_is_never_answered_has_precision_zero():
    scores = score([[2, 0, 0], [2, 0, 0], [0, 0, 1]], LABELS)
    assert scores.per_class[1].precision == 0
    assert scores.per_class[1].recall == 0
    assert scores.per_class[1].f1 == 0


@settings(deadline=None)  # the first call imports torchmetrics
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
def test_scores_agree_with_torchmetrics(pairs):
    import torch
    from torchmetrics.functional.classification import multiclass_f1_score

    true, called = (torch.tensor(column) for column in zip(*pairs, strict=True))
    counts = np.zeros((3, 3), dtype=np.int64)
    for t, c in pairs:
        counts[t, c] += 1
    scores = score(counts, LABELS)
    assert scores.accuracy == pytest.approx((true == called).float().mean().item())
    expected = multiclass_f1_score(called, true, num_classes=3, average=None)
    for entry, value in zip(scores.per_class, expected, strict=True):
        if entry.f1 is not None:
            assert entry.f1 == pytest.approx(value.item(), abs=1e-6)
