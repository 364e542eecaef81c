"""From stored uint8 images to logits: everything between a shard and a prediction."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ferdata.faces.schemes import scheme
from ferdata.models.base import ExpressionModel
from ferdata.models.inputs.augment import DeviceAugment
from ferdata.models.inputs.preprocess import Preprocess
from ferdata.models.inputs.prior import RegionPrior
from ferdata.models.spec import ModelSpec


class Classifier(nn.Module):
    """A model with the preprocessing of its images.

    Training, evaluation, prediction and export all use this module, so that every image is prepared
    as the train images were.

    Args:
        model: Turns float32 (B, C, H, W) into logits (B, K).
        spec: Size, normalization and classes.
        augment: Augmentation, in training mode only.
    """

    def __init__(
        self, model: nn.Module, spec: ModelSpec, augment: DeviceAugment | None = None
    ) -> None:
        super().__init__()
        # channels_last: images are (B, H, W, C), so that no copy is made to change their order
        self.model = model.to(memory_format=torch.channels_last)
        self.spec = spec
        self.preprocess = Preprocess(spec.mean, spec.std, spec.input_size)
        self.augment = augment
        self.prior = RegionPrior(spec.landmark_scheme) if spec.landmark_scheme else None

    @property
    def takes_landmarks(self) -> bool:
        """Whether `forward` uses landmarks."""
        return self.prior is not None

    def forward(self, images: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """Classify images.

        Args:
            images: uint8, shape (B, H, W, C).
            landmarks: float32, shape (B, P, 2), pixels of these images, NaN where unknown; used
                by models with a landmark prior only.

        Returns:
            Logits, shape (B, K).
        """
        logits: Tensor = self.model(*self.prepare(images, landmarks))
        return logits

    def embed(self, images: Tensor, landmarks: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the logits (B, K), and the features (B, D) that they are computed from."""
        inputs = self.prepare(images, landmarks)
        if isinstance(self.model, ExpressionModel):
            features = self.model.embed(*inputs)
            return self.model.classify(features), features
        model: Any = self.model  # a timm model
        features = model.forward_head(model.forward_features(*inputs), pre_logits=True)
        return model.get_classifier()(features), features

    def example_inputs(self, number: int, height: int, width: int) -> tuple[Tensor, ...]:
        """Draw inputs of `forward` for measuring and tracing; the same values every time.

        Args:
            number: Images B.
            height: Height of the images, pixels.
            width: Width of the images, pixels.

        Returns:
            Images on the CPU, and landmarks if the model takes them.
        """
        generator = torch.Generator().manual_seed(0)
        shape = (number, height, width, self.spec.channels)
        images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        if self.spec.landmark_scheme is None:
            return (images,)
        size = scheme(self.spec.landmark_scheme).size
        places = torch.rand(number, size, 2, generator=generator)
        return images, places * torch.tensor([width, height])

    def prepare(self, images: Tensor, landmarks: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the inputs of the model: images, and the prior if it takes one."""
        device = images.device.type
        if not torch.is_autocast_enabled(device):
            return self._prepare(images, landmarks)
        # coordinates and pixel values need full precision; mixed precision begins with the model
        with torch.autocast(device, enabled=False):
            return self._prepare(images, landmarks)

    def _prepare(self, images: Tensor, landmarks: Tensor | None) -> tuple[Tensor, ...]:
        resized = self.preprocess.resize(images)
        if self.prior is None:
            landmarks = None
        elif landmarks is not None:
            landmarks = self.preprocess.move_points(landmarks, images.shape[1], images.shape[2])
        if self.training and self.augment is not None:
            resized, landmarks = self.augment(resized, landmarks)
        prepared = self.preprocess.normalize(resized)
        if self.prior is None or landmarks is None:
            return (prepared,)
        return prepared, self.prior(landmarks, *self.spec.input_size)
