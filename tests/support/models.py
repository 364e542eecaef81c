"""Helpers for tests of models: sizes, random inputs, and whether a model can learn 64 faces."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from ferdata.core.labels import BASIC7
from ferdata.synth import draw_face

FACES = 64


def count(module: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw normal values, the same for the same shape and seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@cache
def drawn_faces(size: int = 64, channels: int = 3) -> tuple[Tensor, Tensor]:
    """Draw 64 faces of the seven basic classes in turn, once per session.

    Args:
        size: Side in pixels, 32 and more.
        channels: 3, or 1 for their mean.

    Returns:
        Images, float32 (64, channels, size, size), near mean 0 and deviation 1; labels, int64
        (64,). Both are shared: don't write into them.
    """
    generator = np.random.default_rng(64)
    labels = [number % len(BASIC7) for number in range(FACES)]
    faces = [draw_face(BASIC7.names[k], generator, size).pixels for k in labels]
    images = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float()
    images = (images / 255 - 0.5) / 0.25
    if channels == 1:
        images = images.mean(dim=1, keepdim=True)
    return images.contiguous(), torch.tensor(labels)


def overfit(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    steps: int = 150,
    lr: float = 1e-3,
    batch: int = 32,
    target: float = 0.95,
    check_every: int = 20,
    seed: int = 0,
) -> float:
    """Train with AdamW and return the accuracy on the same images, in evaluation mode.

    Training ends as soon as the accuracy, checked every `check_every` steps, is at least `target`.

    Args:
        model: Trained in place; its random draws (dropout) follow `seed`.
        images: Float32, (N, C, H, W).
        labels: Int64, (N,).
        steps: Maximum number of optimizer steps.
        lr: Learning rate, constant.
        batch: Images of a step; an epoch drops no image unless N is no multiple of it.
        target: Sufficient accuracy.
        check_every: Steps between two checks.
        seed: Of the order and of dropout.
    """
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    order = torch.empty(0, dtype=torch.long)
    last = 0.0
    for step in range(1, steps + 1):
        if len(order) < batch:
            order = torch.randperm(len(labels))
        chosen, order = order[:batch], order[batch:]
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()
        if step % check_every == 0 or step == steps:
            last = accuracy(model, images, labels)
            if last >= target:
                break
    return last


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the accuracy in evaluation mode."""
    model.eval()
    return float((model(images).argmax(dim=1) == labels).float().mean())
