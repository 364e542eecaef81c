"""Callbacks around training steps: seeds, a check for NaN, early stopping, a progress bar."""

# ruff: noqa: ARG002 - Lightning calls its hooks with all their arguments

from __future__ import annotations

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from torch import Tensor
from tqdm import tqdm

from ferdata.core.draws import rank
from ferdata.core.errors import TrainingError
from ferdata.core.progress import progress_bar

LOSS_CHECK_STEPS = 25
"""Steps between two checks of the loss; reading it synchronizes a GPU."""


class EpochSeed(Callback):  # type: ignore[misc]  # lightning is untyped here
    """Seed torch at the start of every epoch, so that a resumed run equals an uninterrupted one.

    Args:
        seed: Seed of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Seed from the run's seed, the epoch and the process."""
        torch.manual_seed(rank(self.seed, f"train:{trainer.current_epoch}:{trainer.global_rank}"))


class LossGuard(Callback):  # type: ignore[misc]
    """End the run when the loss or a weight is NaN or infinite."""

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Check the loss every `LOSS_CHECK_STEPS` steps and at the end of each epoch.

        Raises:
            TrainingError: The loss is NaN or infinite.
        """
        if batch_idx % LOSS_CHECK_STEPS and batch_idx + 1 != trainer.num_training_batches:
            return
        loss: Tensor = outputs["loss"]
        if not torch.isfinite(loss):
            where = f"in epoch {trainer.current_epoch + 1}, step {batch_idx + 1}"
            raise _diverged(trainer, pl_module, f"the training loss is {loss.item()} {where}")

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Check the result of the epoch's last step, before it is saved as a checkpoint.

        Raises:
            TrainingError: The validation loss or a weight is NaN or infinite.
        """
        values = {
            "the validation loss": trainer.callback_metrics.get("validation_loss"),
            **pl_module.state_dict(),
        }
        for name, value in values.items():
            if value is not None and value.is_floating_point() and not value.isfinite().all():
                epoch = trainer.current_epoch + 1
                raise _diverged(
                    trainer, pl_module, f"{name} is NaN or infinite after epoch {epoch}"
                )


def _diverged(
    trainer: lightning.Trainer, pl_module: lightning.LightningModule, what: str
) -> TrainingError:
    kept = "; last.ckpt has the previous epoch" if trainer.current_epoch else ""
    return TrainingError(
        f"{what}: training has diverged. Start another run with a lower --lr "
        f"(now {pl_module.options.lr:g}){kept}."
    )


class StaysStopped(EarlyStopping):  # type: ignore[misc]
    """Early stopping that holds for a resumed run, even if it was killed right after stopping."""

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Stop before the first epoch if the run of the checkpoint had stopped."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True


class EpochBar(Callback):  # type: ignore[misc]
    """Show one progress bar per epoch on standard error, with images/s, time left and the loss.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self._bar: tqdm[Any] | None = None

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Open the bar."""
        images = trainer.num_training_batches * pl_module.options.batch_size
        title = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        self._bar = progress_bar(title, images, quiet=self.quiet or not trainer.is_global_zero)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Advance the bar."""
        if self._bar is None or self._bar.disable:
            return
        if batch_idx % LOSS_CHECK_STEPS == 0:
            self._bar.set_postfix(loss=f"{float(outputs['loss']):.3f}", refresh=False)
        self._bar.update(len(batch["label"]))

    def _close(self, *_: object) -> None:
        """Close the bar if one is open, before validation or a message."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    on_validation_start = on_train_epoch_end = on_exception = _close
