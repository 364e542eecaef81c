"""Lookahead: slow weights that follow the fast weights of another optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Lookahead(Optimizer):
    """Every k steps, move slow weights by α toward the fast ones and continue from there.

    Zhang, Lucas, Hinton and Ba, "Lookahead Optimizer: k steps forward, 1 step back" (NeurIPS 2019),
    algorithm 1. As in the paper, the slow weights start as the weights at construction, so that the
    first k steps are averaged too. They are part of `state_dict`, so that a resumed run continues
    with them.

    Args:
        base: The optimizer of the fast weights, whose parameter groups and state are shared.
        steps: Steps k between two moves of the slow weights.
        alpha: Fraction α of the distance that the slow weights move.
    """

    def __init__(self, base: Optimizer, steps: int = 6, alpha: float = 0.5) -> None:
        super().__init__(base.param_groups, base.defaults)
        self.base = base
        self.steps = steps
        self.alpha = alpha
        self.taken = 0
        self._share_groups()
        self.slow = [parameter.detach().clone() for parameter in self._fast()]

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step of the base optimizer; after every k-th, move the slow weights."""
        loss = self.base.step(closure)
        self.taken += 1
        if self.taken % self.steps == 0:
            with torch.no_grad():
                for slow, fast in zip(self.slow, self._fast(), strict=True):
                    if slow.device != fast.device:  # a trainer moves parameters, not these
                        slow.data = slow.to(fast.device)
                    slow.lerp_(fast, self.alpha)
                    fast.copy_(slow)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the base optimizer's state, the slow weights and the number of steps taken."""
        return {"base": self.base.state_dict(), "slow": self.slow, "taken": self.taken}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict`."""
        self.base.load_state_dict(state_dict["base"])
        self._share_groups()
        for slow, saved in zip(self.slow, state_dict["slow"], strict=True):
            slow.copy_(saved)
        self.taken = int(state_dict["taken"])

    def _share_groups(self) -> None:
        # schedulers change a group's learning rate here, and the base optimizer must see it
        self.param_groups = self.base.param_groups
        self.state = self.base.state

    def _fast(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]
