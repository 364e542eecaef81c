"""The checkpoints of a run: the best epoch and the last one."""

# ruff: noqa: ARG002 - Lightning calls its hooks with all their arguments

from __future__ import annotations

from contextlib import nullcontext

import lightning
from lightning.pytorch.callbacks import Checkpoint

from ferdata.core.files import finish_atomically, write_atomically
from ferdata.models.weights import pack_weights, read_weights
from ferdata.runs.folder import RunFolder
from ferdata.training.epoch_log import EpochLog, best_epoch


class KeepCheckpoints(Checkpoint):  # type: ignore[misc]
    """Save the last complete epoch and the best one on validation, each file atomically.

    Beside each checkpoint, the weights are written as safetensors.

    `best_epoch` chooses the best one; test data are not used. Lightning's ModelCheckpoint compares
    a single metric, and writes files that are not synced to disk.

    Args:
        folder: The run.
        log: All epochs so far, including those before the run was resumed.
    """

    def __init__(self, folder: RunFolder, log: EpochLog) -> None:
        self.folder = folder
        self.epochs = log  # `log` is a name that Lightning gives to every callback

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Save; Lightning calls this after all other callbacks, so that their state is complete."""
        if best_epoch(self.epochs.rows) == trainer.current_epoch + 1:
            self._save(trainer, "best")
        self._save(trainer, "last")

    def _save(self, trainer: lightning.Trainer, which: str) -> None:
        """Save one checkpoint; every process takes part, the first one writes the file."""
        path = self.folder.checkpoint(which)
        whole = finish_atomically(path) if trainer.is_global_zero else nullcontext(path)
        with whole as target:
            trainer.save_checkpoint(target)
        if trainer.is_global_zero:  # with averaged weights, the file has those to use
            spec, weights = read_weights(path)
            with write_atomically(self.folder.weights(which)) as file:
                file.write(pack_weights(weights, spec, {"checkpoint": which}))
