"""The Lightning trainer as ferdata sets it up: our own log, bar and checkpoints, no chatter."""

from __future__ import annotations

import importlib.util
import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger

from ferdata.train.evaluate import torch_device
from ferdata.train.options import TrainOptions
from ferdata.train.run_folder import RunFolder


def make_trainer(
    options: TrainOptions, folder: RunFolder, callbacks: list[Callback], *, validate: bool
) -> lightning.Trainer:
    """Make the trainer of a run.

    Args:
        options: Device, precision, epochs, gradient clipping.
        folder: Where TensorBoard's log goes, if TensorBoard is installed.
        callbacks: What happens around the steps.
        validate: Whether there is a validation split.

    Raises:
        OptionError: The device is not there.
    """
    device = torch_device(options.device)
    return lightning.Trainer(
        accelerator={"cpu": "cpu", "cuda": "gpu", "mps": "mps"}[device.type],
        devices=1,
        precision=_precision(options, device),
        max_epochs=options.epochs,
        gradient_clip_val=options.gradient_clip or None,
        callbacks=callbacks,
        logger=_tensorboard(folder),
        log_every_n_steps=1,
        limit_val_batches=1.0 if validate else 0,
        num_sanity_val_steps=0,  # validation reads the same shards as training: nothing to find
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder.path,
    )


@contextmanager
def calm_lightning() -> Iterator[None]:
    """Keep Lightning's hints and adverts out of our messages, and its Ctrl-C an interrupt.

    Lightning turns KeyboardInterrupt into exit code 1 and goes on to ignore the signal; callers
    of ours want the interrupt itself.
    """
    loggers = [logging.getLogger(name) for name in ("lightning", "lightning.pytorch")]
    levels = [logger.level for logger in loggers]
    main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if main_thread else None
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")
            warnings.filterwarnings("ignore", module=r"torch\.")
            yield
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if main_thread and handler is not None:
            signal.signal(signal.SIGINT, handler)


def _precision(options: TrainOptions, device: torch.device) -> str:
    """Choose the precision that `"auto"` means on a device."""
    if options.precision != "auto":
        return options.precision
    mixed = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if mixed else "32-true"


def _tensorboard(folder: RunFolder) -> TensorBoardLogger | bool:
    """Log to TensorBoard where it is installed; `metrics.csv` is written in any case."""
    if importlib.util.find_spec("tensorboard") is None:
        return False
    return TensorBoardLogger(folder.path, name="", version="tensorboard")
