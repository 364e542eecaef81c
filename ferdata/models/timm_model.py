"""A model with the methods by which timm's code handles its own models."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import Any, ClassVar, Literal, get_args

from timm.layers import SelectAdaptivePool2d
from torch import Tensor, nn

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.models.stages import Indices, StagedModel

Pool = Literal["avg", "max", "avgmax", ""]
"""How the last map becomes a vector; the empty word, as in timm, leaves it a map."""


class TimmModel(StagedModel):
    """Stages, pooling, dropout, classifier.

    A subclass sets `first_conv`, and in its constructor `stages_info`, `num_features`,
    `embedding_size` and `classifier`.

    Attributes:
        first_conv: Name of the convolution that takes the image.
        num_classes: Number of classes K; 0 without a classifier.
        in_chans: Channels of the images.
        drop_rate: Dropout before the classifier.
        classifier: Turns an embedding into logits; an identity if `num_classes` is 0.
        pretrained_cfg: What timm keeps of a model, see `image_config`.
        default_cfg: The same.

    Args:
        num_classes: Number of classes K.
        in_chans: Channels of the images.
        drop_rate: Dropout before the classifier.

    Raises:
        OptionError: A number is out of range.
    """

    first_conv: ClassVar[str]
    classifier: nn.Module

    def __init__(self, num_classes: int, in_chans: int, drop_rate: float) -> None:
        super().__init__()
        if num_classes < 0 or in_chans < 1:
            raise OptionError(
                f"num_classes={num_classes}, in_chans={in_chans}: must be at least 0 (without a "
                "classifier) and 1"
            )
        if not 0 <= drop_rate < 1:
            raise OptionError(f"drop_rate={drop_rate}: must be at least 0 and below 1")
        self.num_classes = num_classes
        self.in_chans = in_chans
        self.drop_rate = drop_rate
        self.pretrained_cfg: dict[str, Any] = image_config(type(self))
        self.default_cfg = self.pretrained_cfg
        self.global_pool = _make_pool("avg")
        self.dropout = nn.Dropout(drop_rate)

    @abstractmethod
    def make_classifier(self, num_classes: int) -> nn.Module:
        """Make a new classifier for at least one class."""

    @property
    def head_hidden_size(self) -> int:
        """Length of what `forward_head` returns with `pre_logits`."""
        return self.embedding_size

    def pool(self, x: Tensor) -> Tensor:
        """Turn the last map into the embedding, (B, D)."""
        pooled: Tensor = self.global_pool(x)
        return pooled

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Turn the last map into logits (B, K), or with `pre_logits` into the embedding (B, D)."""
        embedding = self.pool(x)
        return embedding if pre_logits else self.classify(embedding)

    def embed(self, images: Tensor, prior: Tensor | None = None) -> Tensor:
        """Return the pooled features before dropout and classifier, shape (B, D)."""
        return self.pool(self.forward_features(images, prior))

    def classify(self, embedding: Tensor) -> Tensor:
        """Return logits, shape (B, K), dropout included."""
        logits: Tensor = self.classifier(self.dropout(embedding))
        return logits

    def get_classifier(self) -> nn.Module:
        """Return the classifier."""
        return self.classifier

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the classifier by a new one.

        Args:
            num_classes: Number of classes; 0 leaves the classifier out, so that the model returns
                its embedding.
            global_pool: One of `Pool`; None changes nothing. With the empty word, which needs
                `num_classes=0`, the model returns its last map.

        Raises:
            UnknownNameError: There is no such pooling.
            OptionError: The model can't pool so.
        """
        if global_pool is not None:
            self.set_global_pool(global_pool)
        if num_classes and self.global_pool.is_identity():
            raise OptionError("global_pool='': a classifier needs a pooled map; give num_classes=0")
        like = next(self.parameters())
        new = self.make_classifier(num_classes) if num_classes else nn.Identity()
        self.classifier = new.to(like.device, like.dtype)
        self.num_classes = num_classes

    def set_global_pool(self, global_pool: str) -> None:
        """Pool the last map in another way; see `reset_classifier`."""
        self.global_pool = _make_pool(global_pool)

    def prune_intermediate_layers(
        self,
        indices: Indices = 1,
        prune_norm: bool = False,  # noqa: ARG002 - no norm follows a stage
        prune_head: bool = True,  # noqa: ARG002 - see below
    ) -> list[int]:
        """Keep only what the outputs of some stages need; timm's `features_only` calls this.

        Args:
            indices: The stages.
            prune_norm: Has no effect.
            prune_head: Has no effect: the classifier is always removed.

        Returns:
            The stages as indices from the first.
        """
        taken = self.drop_stages(indices)
        self.reset_classifier(0, "")
        return taken


def image_config(model: type[TimmModel]) -> dict[str, Any]:
    """Return what timm keeps of a model: its images, and the names of its first and last layer.

    Images are used whole (`crop_pct`), since those of a build are cropped to the face.
    """
    return {
        "num_classes": 7,
        "input_size": (3, model.usual_input, model.usual_input),
        "fixed_input_size": "img_size" in inspect.signature(model).parameters,
        "crop_pct": 1.0,
        "interpolation": "bilinear",
        "mean": model.mean,
        "std": model.std,
        "first_conv": model.first_conv,
        "classifier": "classifier",
    }


def _make_pool(name: str) -> SelectAdaptivePool2d:
    if name not in get_args(Pool):
        raise UnknownNameError("global_pool", name, get_args(Pool))
    return SelectAdaptivePool2d(pool_type=f"fast{name}" if name else "", flatten=bool(name))
