"""Averaged weights, which are validated, saved and tested beside the trained ones."""

# ruff: noqa: ARG002 - Lightning calls its hooks with all their arguments

from __future__ import annotations

import lightning
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class WeightEma(WeightAveraging):  # type: ignore[misc]  # lightning is untyped here
    """An exponential moving average of the weights, `θ_E ← d θ_E + (1 − d) θ` after every step.

    The average is validated and tested. A checkpoint has it as its `state_dict` and the trained
    weights beside it, so that a resumed run continues with both.

    Args:
        decay: d at the end of the warm-up.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=self._move)
        self.decay = decay

    def on_fit_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Move the average to the device of the weights, which have moved since it was made.

        The count of updates stays on the CPU, so that reading it does not synchronize a device.
        """
        self._average_model.module.to(pl_module.device)

    def _move(self, averages: list[Tensor], currents: list[Tensor], _updates: Tensor) -> None:
        """Move the averages of one dtype and device toward the current values."""
        if not torch.is_floating_point(averages[0]):  # batch normalization counts its batches
            torch._foreach_copy_(averages, currents)
            return
        decay = decay_at(int(self._average_model.n_averaged), self.decay)
        torch._foreach_lerp_(averages, currents, 1 - decay)


def decay_at(update: int, decay: float) -> float:
    """Return the decay of an update, `min(d, (1 + t) / (10 + t))`.

    Without this warm-up the initial weights would dominate the average for 1 / (1 − d) steps.
    Source of the rule: documentation of TensorFlow's `ExponentialMovingAverage`, `num_updates`.

    Args:
        update: Number t of updates before this one.
        decay: d, 0 ≤ d < 1.
    """
    return min(decay, (1 + update) / (10 + update))
