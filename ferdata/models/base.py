"""The base class of models: a classifier in two steps."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class ExpressionModel(nn.Module, ABC):
    """A classifier that gives access to the features before its last layer, for losses on them.

    Attributes:
        embedding_size: Length D of the features.
        takes_prior: Whether `embed` uses its `prior`.
        fixed_input: Side of the only input that the model takes, pixels; None if it takes any.
        usual_input: Side of the input in the model's paper, pixels.
        mean: Mean per channel that its ImageNet weights expect, for values in 0–1.
        std: Standard deviation per channel that they expect.
    """

    embedding_size: int
    takes_prior: bool = False
    fixed_input: int | None = None
    usual_input: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    @abstractmethod
    def embed(self, images: Tensor, prior: Tensor | None = None) -> Tensor:
        """Return the pooled features before dropout and classifier.

        Args:
            images: float32, shape (B, C, H, W), normalized.
            prior: float32, shape (B, R, h, w): one heat map in 0–1 for each region of
                `ferdata.faces.landmark_scheme.REGIONS`; ignored by models without `takes_prior`.

        Returns:
            Shape (B, `embedding_size`).
        """

    @abstractmethod
    def classify(self, embedding: Tensor) -> Tensor:
        """Turn features (B, D) into logits (B, K), dropout included."""

    def forward(self, images: Tensor, prior: Tensor | None = None) -> Tensor:
        """Return logits, shape (B, K)."""
        return self.classify(self.embed(images, prior))

    def no_weight_decay(self) -> set[str]:
        """Return names of parameters that are exempt from weight decay, beside biases and norms."""
        return set()
