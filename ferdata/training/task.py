"""The Lightning module: a classifier, its losses, its validation metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics.classification import MulticlassConfusionMatrix

from ferdata.core.errors import OptionError
from ferdata.evaluation.metrics import score
from ferdata.models.classifier import Classifier
from ferdata.runs.options import TrainOptions
from ferdata.training.losses import CenterLoss, ClassificationLoss
from ferdata.training.optimizer import make_optimizer
from ferdata.training.schedules import make_schedule

Batch = dict[str, Tensor]
"""`image` uint8 (B, H, W, C) and `label` int64 (B,); as needed `soft_label` and `landmarks`."""


class ExpressionTask(lightning.LightningModule):  # type: ignore[misc]  # lightning is untyped here
    """Train a classifier of expressions.

    Args:
        classifier: The model with its preprocessing and augmentation.
        options: Loss, optimizer and schedule.
        class_weights: Weight of each class in the training loss, or None for equal weights.
    """

    def __init__(
        self,
        classifier: Classifier,
        options: TrainOptions,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.options = options
        self.loss = ClassificationLoss(options, class_weights)
        self.center_loss = self._make_center_loss() if options.center_loss else None
        # validate_args would synchronize a GPU in every batch
        self.confusion = MulticlassConfusionMatrix(len(classifier.spec.labels), validate_args=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that a batch must have."""
        landmarks = ("landmarks",) if self.classifier.takes_landmarks else ()
        soft = ("soft_label",) if self.loss.target == "soft_label" else ()
        return ("image", "label", *landmarks, *soft)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:  # noqa: ARG002 - Lightning's signature
        """Return the loss of one batch."""
        if self.center_loss is None:
            loss: Tensor = self.loss(self._logits(batch).float(), batch)
        else:
            logits, features = self.classifier.embed(batch["image"], batch.get("landmarks"))
            pull = self.center_loss(features, batch["label"])
            loss = self.loss(logits.float(), batch) + self.options.center_loss * pull
            self.center_loss.update(features, batch["label"])
            self._log("center_loss", pull.detach(), len(batch["label"]))
        self._log("train_loss", loss, len(batch["label"]))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Add one batch to the confusion matrix, each row on one process only."""
        logits, labels = self._logits(batch).float(), batch["label"]
        if self.trainer.world_size > 1:  # each part is padded with rows of the others
            own = batch["index"] % self.trainer.world_size == self.trainer.global_rank
            logits, labels = logits[own], labels[own]
        number = len(labels)
        if number:
            self.confusion.update(logits.argmax(dim=1), labels)
        loss = functional.cross_entropy(logits, labels, reduction="sum") / max(number, 1)
        self._log("validation_loss", loss, number)

    def on_validation_epoch_end(self) -> None:
        """Log accuracy and macro F1 of the whole validation split."""
        scores = score(self.confusion.compute().cpu().numpy(), self.classifier.spec.labels)
        self.confusion.reset()
        self.log("validation_accuracy", scores.accuracy)
        self.log("validation_macro_f1", scores.macro_f1)

    def configure_optimizers(self) -> dict[str, Any]:
        """Make the optimizer, and the schedule over all steps of the run."""
        optimizer = make_optimizer(self.classifier.model, self.options)
        module, options = self.trainer.datamodule, self.options
        # epochs have at most two lengths: on the subset, and on all of train
        batches = [module.epoch_batches(epoch) for epoch in (0, options.subset_epochs)]
        epoch_steps = [
            math.ceil(batches[epoch >= options.subset_epochs] / options.accumulate)
            for epoch in range(options.epochs)
        ]
        schedule = make_schedule(optimizer, options, epoch_steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the model's spec to its weights, as plain types, so that no pickle is needed."""
        checkpoint["ferdata"] = self.classifier.spec.model_dump(mode="json")

    def _logits(self, batch: Batch) -> Tensor:
        logits: Tensor = self.classifier(batch["image"], batch.get("landmarks"))
        return logits

    def _make_center_loss(self) -> CenterLoss:
        """Make the center loss; a forward pass gives the length of the model's features."""
        spec = self.classifier.spec
        height, width = spec.input_size
        image = torch.zeros(1, height, width, spec.channels, dtype=torch.uint8)
        training = self.classifier.training
        try:
            with torch.no_grad():
                _, features = self.classifier.eval().embed(image)
        except (AttributeError, TypeError, RuntimeError) as error:
            raise OptionError(
                f"center_loss: {spec.model!r} does not give access to the features before its "
                f"classifier ({error}); use center_loss=0, or another model."
            ) from error
        finally:
            self.classifier.train(training)
        return CenterLoss(len(spec.labels), features.shape[1], self.options.center_rate)

    def _log(self, name: str, value: Tensor, images: int) -> None:
        """Log the mean of an epoch, weighted by the number of images in each batch."""
        self.log(
            name,
            value,
            on_step=False,
            on_epoch=True,
            batch_size=images,
            sync_dist=True,
        )
