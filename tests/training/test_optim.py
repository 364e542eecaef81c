"""Optimizers, Lookahead, averaged weights and schedules, against their formulas."""

import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ferdata.models import create_model
from ferdata.runs.options import TrainOptions
from ferdata.training.averaging import WeightEma, decay_at
from ferdata.training.lookahead import Lookahead
from ferdata.training.optimizer import decay_groups, make_optimizer
from ferdata.training.schedules import lr_factor, make_schedule


def factors(epoch_steps=(10, 10, 10), **changes) -> list[float]:
    factor = lr_factor(TrainOptions(lr=1.0, **changes), epoch_steps)
    return [factor(step) for step in range(sum(epoch_steps))]


def test_warmup_rises_linearly_and_cosine_falls_to_the_floor():
    factor = lr_factor(TrainOptions(lr=1.0, warmup=10 / 101), [101])
    assert [factor(step) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert factor(55) == pytest.approx(0.505)
    assert factor(100) == pytest.approx(0.01)
    falling = [factor(step) for step in range(10, 101)]
    assert falling == sorted(falling, reverse=True)


def test_no_warmup_starts_at_the_peak_and_a_smallest_rate_is_reached():
    values = factors(warmup=0, min_lr=1e-9)
    assert values[0] == 1.0
    assert values[-1] == pytest.approx(1e-9)


def test_stairs_go_by_epochs_also_where_epochs_differ_in_length():
    values = factors((4, 6, 6, 6), schedule="step", step_epochs=2, step_factor=0.1, warmup=0)
    assert values[:10] == [1.0] * 10
    assert values[10:] == pytest.approx([0.1] * 12)


def test_inverse_time_is_what_keras_calls_decay():
    values = factors((1000,), schedule="inverse_time", lr_decay=1e-5, warmup=0)
    assert values[0] == 1.0
    assert values[999] == pytest.approx(1 / (1 + 999e-5))
    # A-MobileNet: 1e-4 falls to 7.1e-5 after 40,000 steps
    late = lr_factor(TrainOptions(schedule="inverse_time", warmup=0), [50_000])
    assert 1e-4 * late(40_000) == pytest.approx(7.14e-5, rel=1e-3)


def test_a_constant_rate_is_constant_after_the_warmup():
    assert factors(schedule="constant", warmup=0.1)[3:] == [1.0] * 27


def test_a_schedules_state_holds_plain_numbers_only():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    state = make_schedule(optimizer, TrainOptions(schedule="step"), [3, 3]).state_dict()
    assert state["lr_lambdas"] == [None]


@pytest.mark.parametrize("name", ["test_resnet", "lmfer"])
def test_only_matrices_are_decayed(name):
    model = create_model(name, 7)
    decayed, free = decay_groups(model, weight_decay=0.05)
    assert {parameter.ndim > 1 for parameter in decayed["params"]} == {True}
    assert {parameter.ndim > 1 for parameter in free["params"]} == {False}
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.05, 0.0)
    assert len(decayed["params"]) + len(free["params"]) == len(list(model.parameters()))


def test_optimizers_are_those_that_are_asked_for():
    model = nn.Linear(3, 2)
    sgd = make_optimizer(model, TrainOptions(optimizer="sgd", lr=0.1, momentum=0.8))
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.param_groups[0]["momentum"] == 0.8
    assert type(make_optimizer(model, TrainOptions(optimizer="adam"))) is torch.optim.Adam
    assert type(make_optimizer(model, TrainOptions())) is torch.optim.AdamW
    lookahead = make_optimizer(model, TrainOptions(lookahead=True, lookahead_steps=3))
    assert isinstance(lookahead, Lookahead)
    assert isinstance(lookahead.base, torch.optim.AdamW)


def descend(optimizer, parameter: nn.Parameter, steps: int, first: int = 0) -> list[float]:
    """Take steps on the gradient 1, 2, 3, …; return the parameter after each."""
    values = []
    for step in range(first, first + steps):
        parameter.grad = torch.full_like(parameter, float(step + 1))
        optimizer.step()
        values.append(parameter.item())
    return values


def by_the_paper(steps: int, k: int, alpha: float, lr: float) -> list[float]:
    """Follow algorithm 1 of Lookahead by hand, from weight 1."""
    slow = fast = 1.0
    values = []
    for step in range(1, steps + 1):
        fast -= lr * step
        if step % k == 0:
            slow += alpha * (fast - slow)
            fast = slow
        values.append(fast)
    return values


def test_lookahead_averages_from_construction_on():
    parameter = nn.Parameter(torch.ones(1))
    optimizer = Lookahead(torch.optim.SGD([parameter], lr=0.1), steps=3, alpha=0.5)
    assert descend(optimizer, parameter, 8) == pytest.approx(by_the_paper(8, 3, 0.5, 0.1))


def test_lookahead_goes_on_from_its_state():
    def fresh():
        parameter = nn.Parameter(torch.ones(1))
        base = torch.optim.Adam([parameter], lr=0.1)
        return parameter, Lookahead(base, steps=3, alpha=0.5)

    parameter, optimizer = fresh()
    whole = descend(optimizer, parameter, 10)
    parameter, optimizer = fresh()
    descend(optimizer, parameter, 4)
    state = copy.deepcopy(optimizer.state_dict())
    with torch.no_grad():
        resumed, other = fresh()
        resumed.copy_(parameter)
    other.load_state_dict(state)
    assert descend(other, resumed, 6, first=4) == whole[4:]


def test_a_schedule_reaches_the_optimizer_inside_lookahead_also_after_loading():
    parameter = nn.Parameter(torch.ones(1))
    optimizer = Lookahead(torch.optim.SGD([parameter], lr=1.0))
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    schedule = make_schedule(optimizer, TrainOptions(lr=1.0, warmup=0.5), [10])
    assert optimizer.base.param_groups[0]["lr"] == pytest.approx(0.2)
    optimizer.step()
    schedule.step()
    assert optimizer.base.param_groups[0]["lr"] == pytest.approx(0.4)


def test_the_average_of_weights_follows_its_formula():
    model = nn.BatchNorm1d(2)
    ema = WeightEma(0.9)
    ema._average_model = AveragedModel(model, multi_avg_fn=ema._move, use_buffers=True)
    expected = None
    for step in range(40):
        with torch.no_grad():
            model.weight.fill_(float(step**2))
            model.num_batches_tracked.fill_(step)
        ema._average_model.update_parameters(model)
        # the first value is taken as it is; at first the average follows quickly
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step**2 if step else 0.0
    averaged = ema._average_model.module
    assert averaged.weight.tolist() == pytest.approx([expected] * 2, rel=1e-5)
    assert averaged.num_batches_tracked == 39
    assert decay_at(1, 0.9) == pytest.approx(2 / 11)
    assert decay_at(10_000, 0.9) == 0.9
