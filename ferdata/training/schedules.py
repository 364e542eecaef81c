"""Learning-rate schedules, as factors on the peak learning rate."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from ferdata.runs.options import TrainOptions

FLOOR = 0.01
"""Factor at the end of a cosine without `min_lr`."""

Factor = Callable[[int], float]
"""Factor on the peak learning rate for a step, counted from 0."""


def make_schedule(
    optimizer: Optimizer, options: TrainOptions, epoch_steps: Sequence[int]
) -> LambdaLR:
    """Make the schedule of a run, which advances at every step.

    Args:
        optimizer: Holds the peak learning rates.
        options: The schedule and its parameters.
        epoch_steps: Number of steps of each epoch.
    """
    return LambdaLR(optimizer, lr_factor(options, epoch_steps))


def lr_factor(options: TrainOptions, epoch_steps: Sequence[int]) -> Factor:
    """Return the factor of a run's schedule.

    A linear warm-up (Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2), whose first
    step has a factor above 0, is followed by the schedule, which counts from the run's first step.
    """
    total = sum(epoch_steps)
    warmup = round(options.warmup * total)
    if options.schedule == "cosine":
        floor = FLOOR if options.min_lr is None else options.min_lr / options.lr
        after = cosine(warmup, total - 1, floor)
    elif options.schedule == "step":
        after = stairs(tuple(accumulate(epoch_steps)), options.step_epochs, options.step_factor)
    elif options.schedule == "inverse_time":
        after = inverse_time(options.lr_decay)
    else:
        after = inverse_time(0)
    return lambda step: (step + 1) / warmup if step < warmup else after(step)


def cosine(first: int, last: int, floor: float = FLOOR) -> Factor:
    """Return half a cosine: Loshchilov and Hutter, "SGDR" (ICLR 2017), equation 5.

    Args:
        first: The last step with factor 1.
        last: The first step with factor `floor`.
        floor: Factor at the end.
    """

    def factor(step: int) -> float:
        progress = min(1.0, (step - first) / max(1, last - first))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))

    return factor


def stairs(epoch_ends: Sequence[int], every: int, factor: float) -> Factor:
    """Return a factor that is multiplied every few epochs.

    Args:
        epoch_ends: Number of steps up to the end of each epoch.
        every: Epochs of one stair.
        factor: Factor from stair to stair.
    """
    return lambda step: float(factor ** (bisect_right(epoch_ends, step) // every))


def inverse_time(decay: float) -> Factor:
    """Return `1 / (1 + decay · step)`, the argument `decay` of Keras's optimizers."""
    return lambda step: 1 / (1 + decay * step)
