"""Averaged weights: those that are validated, kept and tested, while others are trained."""

from __future__ import annotations

from collections.abc import Callable

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class WeightEma(WeightAveraging):  # type: ignore[misc]  # lightning is untyped here
    """An exponential moving average of the weights, `θ_E ← d θ_E + (1 − d) θ` after every step.

    The average is what is validated and tested; a checkpoint holds it in its `state_dict`, and the
    trained weights beside it, so that a resumed run goes on with both.

    Args:
        decay: d at the end of the warm-up.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(avg_fn=ema_with_warmup(decay))


def ema_with_warmup(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Return the update of an average whose decay rises as `min(d, (1 + t) / (10 + t))`.

    Without the warm-up the average would hold on to the initial weights for 1 / (1 − d) steps.
    Source of the rule: documentation of TensorFlow's `ExponentialMovingAverage`, `num_updates`.

    Args:
        decay: d, 0 ≤ d < 1.
    """

    def update(average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        if not torch.is_floating_point(average):
            return current  # batch normalisation counts its batches
        step = int(updates)
        return torch.lerp(average, current, 1 - min(decay, (1 + step) / (10 + step)))

    return update
