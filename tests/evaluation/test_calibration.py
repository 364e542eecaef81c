"""Calibration against closed forms and against torchmetrics."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.runs import make_predictions
from torchmetrics.functional.classification import multiclass_calibration_error

from ferdata.evaluation.calibration import calibrate


def logs(rows):
    return np.log(np.asarray(rows, dtype=np.float64))


def test_a_hand_made_case_has_its_closed_form():
    # three answers at 0.8, two of them right; one at 0.5, wrong
    shares = [[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]
    result = calibrate(logs(shares), np.array([0, 0, 1, 2]))
    assert result.expected_error == pytest.approx(3 / 4 * (0.8 - 2 / 3) + 1 / 4 * 0.5)
    assert result.mean_confidence == pytest.approx((3 * 0.8 + 0.5) / 4)
    nll = -(2 * np.log(0.8) + np.log(0.1) + np.log(0.3)) / 4
    assert result.negative_log_likelihood == pytest.approx(nll)
    right, wrong = 0.04 + 0.01 + 0.01, 0.64 + 0.81 + 0.01
    assert result.brier == pytest.approx((2 * right + wrong + 0.04 + 0.25 + 0.49) / 4)
    filled = [entry for entry in result.bins if entry.n]
    assert [(entry.n, entry.accuracy) for entry in filled] == [(1, 0), (3, pytest.approx(2 / 3))]
    assert filled[1].low < 0.8 <= filled[1].high
    assert len(result.bins) == 15


def test_knowing_nothing_and_knowing_all_are_the_ends_of_the_scales():
    k = 7
    uniform = calibrate(logs(np.full((14, k), 1 / k)), np.arange(14) % k)
    assert uniform.negative_log_likelihood == pytest.approx(np.log(k))
    assert uniform.brier == pytest.approx(1 - 1 / k)
    assert uniform.expected_error == pytest.approx(0, abs=1e-12)
    sure = make_predictions([[900, 0], [900, 0]], [0, 1])
    result = calibrate(sure.log_probabilities, sure.label)
    assert result.expected_error == pytest.approx(0.5)
    assert result.brier == pytest.approx((0 + 2) / 2)
    assert result.negative_log_likelihood == pytest.approx(450)  # finite, though p underflows


def test_a_bin_has_its_upper_end_and_not_its_lower_one():
    shares = [[0.6, 0.4], [0.6 + 1e-9, 0.4 - 1e-9]]
    result = calibrate(logs(shares), np.array([0, 0]), bins=5)
    assert [entry.n for entry in result.bins] == [0, 0, 1, 1, 0]


@given(st.integers(0, 10_000), st.integers(1, 80), st.integers(2, 8))
def test_the_error_is_that_of_torchmetrics(seed, n, k):
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=2, size=(n, k)).astype(np.float32)
    label = generator.integers(k, size=n)
    predictions = make_predictions(logits, label)
    probabilities = torch.from_numpy(predictions.probabilities)
    expected = multiclass_calibration_error(
        probabilities, torch.from_numpy(label), k, n_bins=15, norm="l1"
    )
    result = calibrate(predictions.log_probabilities, label)
    assert result.expected_error == pytest.approx(expected.item(), abs=1e-5)
    exact = torch.from_numpy(logits).double()  # float32 would lose digits of a loss near 0
    loss = torch.nn.functional.cross_entropy(exact, torch.from_numpy(label))
    assert result.negative_log_likelihood == pytest.approx(loss.item(), rel=1e-4)
