"""Learning-rate schedules, as factors on the peak learning rate."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from ferdata.runs.options import TrainOptions

FLOOR = 0.01
"""Factor at the end of a cosine without `min_lr`."""


@dataclass(frozen=True)
class Schedule:
    """Factor on the peak learning rate: a linear warm-up, then another schedule.

    Warm-up: Goyal et al., "Accurate, large minibatch SGD" (2017), section 2.2.

    Attributes:
        warmup_steps: Steps of warm-up; the first has a factor above 0.
        after: Factor for a step after the warm-up, counted from the run's first step.
    """

    warmup_steps: int
    after: Callable[[int], float]

    def __call__(self, step: int) -> float:
        """Return the factor for a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        return self.after(step)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine down to the floor: Loshchilov and Hutter, "SGDR" (ICLR 2017), equation 5.

    Attributes:
        first: The last step with factor 1.
        last: The first step with factor `floor`.
        floor: Factor at the end.
    """

    first: int
    last: int
    floor: float = FLOOR

    def __call__(self, step: int) -> float:
        """Return the factor for a step."""
        progress = min(1.0, (step - self.first) / max(1, self.last - self.first))
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Stairs:
    """Multiply by a factor every few epochs.

    Attributes:
        epoch_ends: Number of steps up to the end of each epoch.
        every: Epochs of one stair.
        factor: Factor from stair to stair.
    """

    epoch_ends: tuple[int, ...]
    every: int
    factor: float

    def __call__(self, step: int) -> float:
        """Return the factor for a step."""
        epoch = bisect_right(self.epoch_ends, step)
        return float(self.factor ** (epoch // self.every))


@dataclass(frozen=True)
class InverseTime:
    """`1 / (1 + decay · step)`, the argument `decay` of Keras's optimizers.

    Attributes:
        decay: Decay per step.
    """

    decay: float

    def __call__(self, step: int) -> float:
        """Return the factor for a step."""
        return 1 / (1 + self.decay * step)


def make_schedule(
    optimizer: Optimizer, options: TrainOptions, epoch_steps: Sequence[int]
) -> LambdaLR:
    """Make the schedule of a run, which advances at every step.

    Args:
        optimizer: Holds the peak learning rates.
        options: The schedule and its parameters.
        epoch_steps: Number of steps of each epoch.
    """
    factor = lr_factor(options, epoch_steps)

    def of_step(step: int) -> float:  # a function, since a checkpoint would pickle an object
        return factor(step)

    return LambdaLR(optimizer, of_step)


def lr_factor(options: TrainOptions, epoch_steps: Sequence[int]) -> Schedule:
    """Return the factor on the peak learning rate as a function of the step."""
    total = sum(epoch_steps)
    warmup = round(options.warmup * total)
    if options.schedule == "cosine":
        floor = FLOOR if options.min_lr is None else options.min_lr / options.lr
        return Schedule(warmup, Cosine(warmup, total - 1, floor))
    if options.schedule == "step":
        ends = tuple(accumulate(epoch_steps))
        return Schedule(warmup, Stairs(ends, options.step_epochs, options.step_factor))
    if options.schedule == "inverse_time":
        return Schedule(warmup, InverseTime(options.lr_decay))
    return Schedule(warmup, lambda step: 1.0)  # noqa: ARG005 - a constant factor
