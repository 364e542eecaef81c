"""Cost of a classifier against closed forms."""

import pytest
import torch
from support.runs import make_spec
from torch import nn

from ferdata.core.errors import OptionError
from ferdata.evaluation.complexity import measure_complexity, measure_speed
from ferdata.models.classifier import Classifier


class Small(nn.Module):
    """A convolution 3 → 8 of 3×3, a norm, and a linear layer 8 → 7."""

    def __init__(self, shared: bool = False):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 7)
        if shared:
            self.again = self.head

    def forward(self, images, prior=None):
        features = self.norm(self.conv(images)).mean(dim=(2, 3))
        self.sizes = [*getattr(self, "sizes", []), len(images)]
        self.prior = prior
        return self.head(features)


def classifier(model: nn.Module, scheme: str | None = None) -> Classifier:
    return Classifier(model, make_spec(input_size=(12, 16), landmark_scheme=scheme))


def test_weights_and_arithmetic_have_their_closed_forms():
    cost = measure_complexity(classifier(Small()))
    weights = 3 * 8 * 9 + 2 * 8 + 8 * 7 + 7
    assert cost.parameters == weights
    # running mean and variance of 8 channels in float32, and a counter of int64
    assert cost.megabytes == pytest.approx((4 * (weights + 16) + 8) / 1e6)
    assert cost.macs == 3 * 8 * 9 * 12 * 16 + 8 * 7
    assert cost.flops == 2 * cost.macs
    assert cost.input_size == (12, 16)


def test_a_layer_that_is_used_twice_weighs_once():
    once, twice = (measure_complexity(classifier(Small(shared))) for shared in (False, True))
    assert twice.parameters == once.parameters
    assert twice.megabytes == once.megabytes


def test_weights_of_another_precision_are_counted_as_float32():
    model = classifier(Small())
    before = measure_complexity(model)
    model.model.head.double()
    model.model.forward = lambda images: torch.zeros(len(images), 7)
    assert measure_complexity(model).megabytes == before.megabytes


def test_speed_is_that_of_all_passes_but_the_first_ones():
    model = classifier(Small())
    one, many = measure_speed(model, (1, 5), image_size=(20, 20), repeats=4, warm_up=2)
    assert model.model.sizes == [1] * 6 + [5] * 6
    assert (one.batch_size, many.batch_size, many.repeats) == (1, 5, 4)
    assert one.p50 <= one.p90 <= one.p95
    assert one.device == "cpu"
    assert one.threads == torch.get_num_threads()
    assert one.image_size == (20, 20)
    assert one.images_per_second > 0


def test_images_per_second_follow_from_the_clock(monkeypatch):
    ticks = iter([0.0, 9.0, 10.0, 10.5, 20.0, 21.5])  # 9 s of warm-up, then 0.5 s and 1.5 s
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    (speed,) = measure_speed(classifier(Small()), (8,), repeats=2, warm_up=1)
    assert speed.images_per_second == pytest.approx(8 * 2 / 2.0)
    assert speed.p50 == pytest.approx(1000)


def test_a_model_with_a_prior_gets_landmarks():
    model = classifier(Small(), "five")
    measure_complexity(model)
    assert model.model.prior.shape[0] == 1
    assert model.model.prior.max() > 0.5
    measure_speed(model, (3,), repeats=1)
    assert model.model.prior.shape[0] == 3


def test_no_pass_at_all_is_refused():
    with pytest.raises(OptionError, match="at least 1"):
        measure_speed(classifier(Small()), repeats=0)
