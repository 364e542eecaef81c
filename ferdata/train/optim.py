"""Optimiser and learning-rate schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR


@dataclass(frozen=True)
class WarmupCosine:
    """Factor on the peak learning rate: linear warm-up, then half a cosine down to the floor.

    Warm-up: Goyal et al., "Accurate, large minibatch SGD" (2017), section 2.2. Cosine: Loshchilov
    and Hutter, "SGDR" (ICLR 2017), equation 5, without restarts.

    Attributes:
        warmup_steps: Steps of warm-up; the first already moves.
        total_steps: Steps of the whole run.
        floor: Factor at the last step.
    """

    warmup_steps: int
    total_steps: int
    floor: float = 0.01

    def __call__(self, step: int) -> float:
        """Return the factor for a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        span = max(1, self.total_steps - 1 - self.warmup_steps)
        progress = min(1.0, (step - self.warmup_steps) / span)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


def adamw(model: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """Make AdamW that decays weights of two and more dimensions only.

    Biases, norms and what the model itself exempts (timm's `no_weight_decay`) are not decayed:
    Goyal et al. (2017), section 5.3, and common practice since.
    """
    named_by_model = getattr(model, "no_weight_decay", None)
    exempt = set(named_by_model()) if callable(named_by_model) else set()
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            plain = parameter.ndim <= 1 or name in exempt
            (free if plain else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=lr)


def warmup_cosine(optimiser: torch.optim.Optimizer, steps: int, warmup: float) -> LambdaLR:
    """Make the schedule for a run.

    Args:
        optimiser: Holds the peak learning rates.
        steps: Steps of the whole run.
        warmup: Share of the steps that warm up.
    """
    return LambdaLR(optimiser, WarmupCosine(round(warmup * steps), steps))
