"""What is kept of a run: a row per epoch, and the checkpoints of the best and the last epoch."""

# ruff: noqa: ARG002 - Lightning calls its hooks with all their arguments

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback, Checkpoint

from ferdata.core.files import finish_atomically, write_csv
from ferdata.runs.folder import RunFolder

logger = logging.getLogger(__name__)


class EpochLog(Callback):  # type: ignore[misc]
    """Keep one row per epoch: in `metrics.csv`, in every checkpoint, and as a line for people.

    `lr` is the learning rate after the epoch's last step; `train_loss` is the mean over the epoch,
    while the weights moved; `validation_…` are of the weights at its end, or of their average.
    Three columns are of the clock, and the only ones that differ between equal runs: `seconds` of
    the whole epoch, `images_per_second` of its training part over all processes, and `waiting`, the
    share of that part in which training waited for data.

    The rows travel in the checkpoint, so a resumed run's file is that of an uninterrupted one.

    Args:
        folder: Where the file goes.
        quiet: Log no line.
    """

    def __init__(self, folder: RunFolder, *, quiet: bool) -> None:
        self.folder = folder
        self.quiet = quiet
        self.rows: list[dict[str, float]] = []
        self._started = self._trained = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the rows, for the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows of a checkpoint."""
        self.rows = list(state_dict["rows"])

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start the clock."""
        self._started = time.perf_counter()
        self._trained = 0.0

    def on_validation_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Note when the training part of the epoch was over."""
        self._trained = time.perf_counter()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Add the epoch's row."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "lr": float(trainer.optimizers[0].param_groups[0]["lr"]),
            **dict(sorted(metrics.items())),
            **self._clock(trainer),
        }
        self.rows.append(row)
        if not trainer.is_global_zero:
            return
        self._write()
        if not self.quiet:
            logger.info(epoch_line(row, trainer.max_epochs))

    def _clock(self, trainer: lightning.Trainer) -> dict[str, float]:
        """Return the columns of the clock."""
        now = time.perf_counter()
        training = max((self._trained or now) - self._started, 1e-9)
        loader = trainer.train_dataloader
        images = trainer.num_training_batches * loader.batch_size * trainer.world_size
        return {
            "seconds": round(now - self._started, 2),
            "images_per_second": round(images / training, 1),
            "waiting": round(loader.waited / training, 4),
        }

    def _write(self) -> None:
        """Write all rows; a run has few."""
        columns = list(self.rows[0])
        rows = ([row[name] for name in columns] for row in self.rows)
        write_csv(self.folder.metrics_file, columns, rows)


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """Tell an epoch's row in words."""
    parts = [f"epoch {row['epoch']:.0f}/{epochs}: train loss {row['train_loss']:.3f}"]
    if "validation_accuracy" in row:
        parts.append(f"validation loss {row['validation_loss']:.3f}")
        parts.append(f"validation accuracy {row['validation_accuracy']:.1%}")
        parts.append(f"validation macro F1 {row['validation_macro_f1']:.3f}")
    parts.append(f"{row['seconds']:.0f} s at {row['images_per_second']:,.0f} images/s")
    return ", ".join(parts)


CLOCK = ("seconds", "images_per_second", "waiting")
"""The columns of `metrics.csv` that are of the clock."""


def best_epoch(rows: Sequence[Mapping[str, float]]) -> int | None:
    """Return the epoch that a run's best checkpoint is of, counted from 1.

    Among equal accuracies the loss counts, since small validation splits have many equals.

    Args:
        rows: One row per epoch, as in `metrics.csv`.

    Returns:
        The first epoch with the highest validation accuracy and, among equals, the lowest
        validation loss; None without validation.
    """
    scored = [row for row in rows if "validation_accuracy" in row]
    if not scored:
        return None
    best = max(scored, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    return int(best["epoch"])


class KeepCheckpoints(Checkpoint):  # type: ignore[misc]
    """Keep the last complete epoch and the best one on validation, each file whole or not there.

    Which epoch is the best one `best_epoch` says. Test data play no part.

    Args:
        folder: Where the files go.
        log: The epochs so far, a resumed run's earlier ones among them.
    """

    def __init__(self, folder: RunFolder, log: EpochLog) -> None:
        self.folder = folder
        self.epochs = log  # `log` is a name that Lightning gives to every callback

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Save; Lightning calls this after the other callbacks, so their state is complete."""
        if best_epoch(self.epochs.rows) == trainer.current_epoch + 1:
            self._save(trainer, "best")
        self._save(trainer, "last")

    def _save(self, trainer: lightning.Trainer, which: str) -> None:
        """Save one checkpoint; every process takes part, the first one writes."""
        path = self.folder.checkpoint(which)
        whole = finish_atomically(path) if trainer.is_global_zero else nullcontext(path)
        with whole as target:
            trainer.save_checkpoint(target)
