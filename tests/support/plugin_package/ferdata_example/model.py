"""A model: two convolutions and a linear layer."""

from __future__ import annotations

from torch import Tensor, nn

from ferdata.core.errors import ModelFileError
from ferdata.models import ExpressionModel


class TinyNet(ExpressionModel):
    """A very small network for images of any size.

    Args:
        num_classes: Number of classes.
        in_chans: Channels of the images.
        pretrained: There are no pretrained weights.
        width: Channels of the first convolution.

    Raises:
        ModelFileError: `pretrained` is asked for.
    """

    usual_input = 48

    def __init__(
        self,
        num_classes: int = 7,
        in_chans: int = 3,
        *,
        pretrained: bool = False,
        width: int = 16,
    ) -> None:
        super().__init__()
        if pretrained:
            raise ModelFileError("tinynet has no pretrained weights; train it from scratch")
        self.embedding_size = 2 * width
        self.features = nn.Sequential(
            nn.Conv2d(in_chans, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, self.embedding_size, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(self.embedding_size, num_classes)

    def embed(self, images: Tensor, prior: Tensor | None = None) -> Tensor:
        """Return the mean of the features over the image."""
        features: Tensor = self.features(images)
        return features.mean(dim=(2, 3))

    def classify(self, embedding: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.head(embedding)
        return logits
