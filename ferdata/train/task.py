"""The Lightning task: one model, one loss, metrics from one confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torchmetrics.classification import MulticlassConfusionMatrix

from ferdata.train.facts import ModelFacts
from ferdata.train.metrics import score
from ferdata.train.optim import adamw, warmup_cosine
from ferdata.train.options import TrainOptions
from ferdata.train.preprocess import Preprocess

Batch = Mapping[str, Any]
"""`image` uint8 (B, H, W, C) and `label` int64 (B,), among others."""


class ExpressionTask(lightning.LightningModule):  # type: ignore[misc]  # lightning is untyped here
    """Train a classifier of expressions.

    Args:
        model: Turns float32 (B, C, H, W) into logits (B, K).
        facts: What the checkpoint says about the model.
        options: Loss, optimiser and schedule.
        class_weights: Weight of each class in the training loss, or None for equal weights.
    """

    def __init__(
        self,
        model: nn.Module,
        facts: ModelFacts,
        options: TrainOptions,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)
        self.facts = facts
        self.options = options
        self.preprocess = Preprocess(facts.mean, facts.std, facts.input_size)
        weights = None if class_weights is None else torch.tensor(class_weights).float()
        self.loss = nn.CrossEntropyLoss(weights, label_smoothing=options.label_smoothing)
        self.validation_loss = nn.CrossEntropyLoss()
        self.confusion = MulticlassConfusionMatrix(len(facts.labels))

    def forward(self, images: Tensor) -> Tensor:
        """Classify images.

        Args:
            images: uint8, shape (B, H, W, C).

        Returns:
            Logits, shape (B, K).
        """
        logits: Tensor = self.model(self.preprocess(images))
        return logits

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:  # noqa: ARG002 - Lightning's signature
        """Return the loss of one batch."""
        loss: Tensor = self.loss(self(batch["image"]), batch["label"])
        self._log("train_loss", loss, batch)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Count one batch into the confusion matrix."""
        logits = self(batch["image"]).float()
        self.confusion.update(logits.argmax(dim=1), batch["label"])
        self._log("validation_loss", self.validation_loss(logits, batch["label"]), batch)

    def on_validation_epoch_end(self) -> None:
        """Log accuracy and macro F1 of the whole validation split."""
        scores = score(self.confusion.compute().cpu().numpy(), self.facts.labels)
        self.confusion.reset()
        self.log("validation_accuracy", scores.accuracy)
        self.log("validation_macro_f1", scores.macro_f1)

    def configure_optimizers(self) -> dict[str, Any]:
        """Make AdamW with a warm-up and a cosine over all steps of the run."""
        optimiser = adamw(self.model, self.options.lr, self.options.weight_decay)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = warmup_cosine(optimiser, steps, self.options.warmup)
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write what the model is beside its weights; plain types, so no pickle is needed."""
        checkpoint["ferdata"] = self.facts.model_dump(mode="json")

    def _log(self, name: str, value: Tensor, batch: Batch) -> None:
        """Log an epoch's mean over images."""
        self.log(
            name,
            value,
            on_step=False,
            on_epoch=True,
            batch_size=len(batch["label"]),
            sync_dist=True,
        )
