"""The optimizer of a run."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ferdata.runs.options import TrainOptions
from ferdata.training.lookahead import Lookahead


def make_optimizer(model: nn.Module, options: TrainOptions) -> Optimizer:
    """Make the optimizer of the options, with Lookahead around it if they say so.

    Args:
        model: Its parameters are trained.
        options: Name and parameters of the optimizer.
    """
    base = _base(decay_groups(model, options.weight_decay), options)
    if not options.lookahead:
        return base
    return Lookahead(base, options.lookahead_steps, options.lookahead_alpha)


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Group parameters by whether they are decayed.

    Biases, norms and the parameters that the model exempts (`no_weight_decay`, as in timm) are not
    decayed: Goyal et al. (2017), section 5.3, and common practice since.
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
    return [group for group in groups if group["params"]]


def _base(groups: list[dict[str, Any]], options: TrainOptions) -> Optimizer:
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=options.lr, momentum=options.momentum)
    kind = torch.optim.AdamW if options.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=options.lr)
