"""Training losses: cross-entropy on labels or soft labels, and the center loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch import distributed as dist

from ferdata.runs.options import TrainOptions


class ClassificationLoss(nn.Module):
    """Cross-entropy on the label, or on the soft label, of each image.

    With class weights and labels the mean is weighted, as torch does it: Σ w_y l / Σ w_y. With
    soft labels each class's share of the cross-entropy is weighted and the sum divided by B; there
    the weights N / n_c are divided by the number of classes, so that their mean over the images is
    1 and the loss keeps its size.

    Args:
        options: `loss` and `label_smoothing`.
        class_weights: Weight of each class, or None for equal weights.
    """

    def __init__(self, options: TrainOptions, class_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        weights = None if class_weights is None else torch.tensor(class_weights).float()
        self.target = "soft_label" if options.loss == "soft_cross_entropy" else "label"
        if weights is not None and self.target == "soft_label":
            weights /= len(weights)
        self.loss = nn.CrossEntropyLoss(weights, label_smoothing=options.label_smoothing)

    def forward(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Return the mean loss of a batch; logits of shape (B, K)."""
        loss: Tensor = self.loss(logits, batch[self.target])
        return loss


class CenterLoss(nn.Module):
    """Pull each feature to the center of its class: `L = Σ ‖x_i − c_{y_i}‖² / 2m`.

    Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition" (ECCV
    2016), equations 2 and 4, as the authors' Caffe layer computes them: the loss is a mean over the
    batch, and a center moves by `−α Σ_{y_i = j} (c_j − x_i) / (1 + n_j)`, which is not divided by
    m. Centers start at zero, are no parameters, and are moved by `update` after the loss of a step
    was taken with the old ones.

    Args:
        classes: Number of classes K.
        size: Length of a feature D.
        rate: α.
    """

    centers: Tensor

    def __init__(self, classes: int, size: int, rate: float = 0.5) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("centers", torch.zeros(classes, size))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of features (B, D) with labels int64 (B,); centers stay as they are."""
        return (features.float() - self.centers[labels]).square().sum() / (2 * len(features))

    @torch.no_grad()
    def update(self, features: Tensor, labels: Tensor) -> None:
        """Move the centers toward the features of a batch, summed over all processes."""
        classes, size = self.centers.shape
        # n_j and Σ x in one tensor, so that processes exchange one message
        sums = self.centers.new_zeros(classes, size + 1)
        ones = features.new_ones(len(features), 1, dtype=torch.float32)
        sums.index_add_(0, labels, torch.cat([features.detach().float(), ones], dim=1))
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(sums)
        total, count = sums[:, :-1], sums[:, -1:]
        self.centers -= self.rate * (count * self.centers - total) / (1 + count)
