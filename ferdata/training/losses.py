"""Training losses: cross-entropy on labels or soft labels, and the center loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional

from ferdata.runs.options import TrainOptions


class ClassificationLoss(nn.Module):
    """Cross-entropy on the label or on the soft label of each image.

    An image i has the target distribution q_i: its soft label, or the one-hot vector of its label
    y_i; with label smoothing ε it becomes (1 − ε) q_i + ε / K (Szegedy et al., CVPR 2016, section
    7). The loss of the image is ℓ_i = −Σ_c q_i(c) log p_i(c), the loss of a batch of B images

        Σ_i ℓ_i / B                 without class weights,
        Σ_i w_i ℓ_i / Σ_i w_i       with class weights w: w_i = w[y_i], or for a soft label the
                                    expected weight Σ_c q_i(c) w[c], before smoothing.

    Weights are per image and leave its target alone, so that each image's loss is least where p_i
    is q_i. (`torch.nn.CrossEntropyLoss` with weights scales the classes inside a smoothed or soft
    target instead, which moves its optimum toward rare classes.)

    Each process and each accumulated batch divides by the weights of its own images, and these
    means are then averaged. With weights, the importance of an image therefore varies a little with
    the batch that it is in; the optimum is the same.

    Args:
        options: `loss` and `label_smoothing`.
        class_weights: Weight of each class, or None for equal weights; only ratios matter.
    """

    class_weights: Tensor | None

    def __init__(self, options: TrainOptions, class_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        weights = None if class_weights is None else torch.tensor(class_weights).float()
        self.register_buffer("class_weights", weights, persistent=False)
        self.target = "soft_label" if options.loss == "soft_cross_entropy" else "label"
        self.label_smoothing = options.label_smoothing

    def forward(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch.

        Args:
            logits: float32, shape (B, K).
            batch: `label` int64 (B,), or `soft_label` float32 (B, K) whose rows sum to 1.
        """
        target, smoothing = batch[self.target], self.label_smoothing
        if self.class_weights is None:
            return functional.cross_entropy(logits, target, label_smoothing=smoothing)
        losses = functional.cross_entropy(
            logits, target, reduction="none", label_smoothing=smoothing
        )
        if self.target == "label":
            weights = self.class_weights[target]
        else:  # not as a matrix product, which mixed precision would round
            weights = (target * self.class_weights).sum(dim=1)
        return (weights * losses).sum() / weights.sum()


class CenterLoss(nn.Module):
    """Pull each feature to the center of its class: `L = Σ ‖x_i − c_{y_i}‖² / 2m`.

    Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition" (ECCV
    2016), equations 2 and 4, as the authors' Caffe layer computes them: the loss is a mean over the
    batch of m images, and a center moves by `−α Σ_{y_i = j} (c_j − x_i) / (1 + n_j)`, which is not
    divided by m. Centers start at zero and are not parameters; `update` moves them after the loss
    of a step was computed with the old ones. Class weights do not enter: the loss is a mean over
    images, and the sums of `update` are over the images of all processes.

    Args:
        classes: Number of classes K.
        size: Length D of a feature.
        rate: α.
    """

    centers: Tensor

    def __init__(self, classes: int, size: int, rate: float = 0.5) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("centers", torch.zeros(classes, size))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of features (B, D) with labels int64 (B,), without moving the centers."""
        return (features.float() - self.centers[labels]).square().sum() / (2 * len(features))

    @torch.no_grad()
    def update(self, features: Tensor, labels: Tensor) -> None:
        """Move the centers toward the features of a batch, summed over all processes."""
        classes, size = self.centers.shape
        # n_j and Σ x in one tensor, for a single all-reduce
        sums = self.centers.new_zeros(classes, size + 1)
        ones = features.new_ones(len(features), 1, dtype=torch.float32)
        sums.index_add_(0, labels, torch.cat([features.detach().float(), ones], dim=1))
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(sums)
        total, count = sums[:, :-1], sums[:, -1:]
        self.centers -= self.rate * (count * self.centers - total) / (1 + count)
