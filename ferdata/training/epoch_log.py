"""One row per epoch, in `metrics.csv`, in the checkpoint and as a log line."""

# ruff: noqa: ARG002 - Lightning calls its hooks with all their arguments

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from ferdata.core.files import write_csv
from ferdata.runs.folder import RunFolder

logger = logging.getLogger(__name__)

CLOCK = ("seconds", "images_per_second", "waiting")
"""Columns of `metrics.csv` that depend on time, so that they differ between equal runs."""


class EpochLog(Callback):  # type: ignore[misc]
    """Keep one row per epoch in `metrics.csv` and in every checkpoint, and log it as a line.

    `lr` is the learning rate after the epoch's last step; `train_loss` is the mean over the epoch,
    while the weights change; `validation_…` are for the weights at its end, or for their average.
    The columns of `CLOCK` are `seconds` of the whole epoch, `images_per_second` of its training
    part over all processes, and `waiting`, the fraction of that part spent waiting for data.

    Since checkpoints have the rows, the file of a resumed run equals that of an uninterrupted one.

    Args:
        folder: The run, whose `metrics.csv` is written.
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
        """Restore the rows from a checkpoint."""
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
        """Note the end of the epoch's training part."""
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
        """Return the columns of `CLOCK`."""
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
        """Write all rows."""
        columns = list(self.rows[0])
        rows = ([row[name] for name in columns] for row in self.rows)
        write_csv(self.folder.metrics_file, columns, rows)


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """Return the log line of an epoch's row."""
    parts = [f"epoch {row['epoch']:.0f}/{epochs}: train loss {row['train_loss']:.3f}"]
    if "validation_accuracy" in row:
        parts.append(f"validation loss {row['validation_loss']:.3f}")
        parts.append(f"validation accuracy {row['validation_accuracy']:.1%}")
        parts.append(f"validation macro F1 {row['validation_macro_f1']:.3f}")
    parts.append(f"{row['seconds']:.0f} s at {row['images_per_second']:,.0f} images/s")
    return ", ".join(parts)


def best_epoch(rows: Sequence[Mapping[str, float]]) -> int | None:
    """Return the epoch of a run's best checkpoint, counted from 1.

    The loss decides between equal accuracies, which are frequent on small validation splits.

    Args:
        rows: One row per epoch, as in `metrics.csv`.

    Returns:
        The epoch with the highest validation accuracy; of several, the one with the lowest
        validation loss, then the first. None without validation.
    """
    scored = [row for row in rows if "validation_accuracy" in row]
    if not scored:
        return None
    best = max(scored, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    return int(best["epoch"])
