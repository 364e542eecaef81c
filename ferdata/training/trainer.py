"""The Lightning trainer: devices, precision, and what of Lightning is switched off."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from ferdata.core.errors import OptionError
from ferdata.models.device import torch_device
from ferdata.runs.folder import RunFolder
from ferdata.runs.options import TrainOptions
from ferdata.training.signals import keep_native_handlers


def is_first_process() -> bool:
    """Return whether this process writes and prints, if several train together."""
    # before there is a trainer, the first process of another node knows only its node's rank
    node = os.environ.get("NODE_RANK") or os.environ.get("GROUP_RANK") or "0"
    return node == "0" and not getattr(rank_zero_only, "rank", 0)


def make_trainer(
    options: TrainOptions, folder: RunFolder, callbacks: list[Callback], *, validate: bool
) -> lightning.Trainer:
    """Make the trainer of a run.

    Several devices or machines train together with DistributedDataParallel: each process gets its
    part of every epoch, and gradients are averaged.

    Args:
        options: Devices, precision, epochs, accumulation, gradient clipping.
        folder: The run, for TensorBoard's log.
        callbacks: Callbacks, including those that log and save.
        validate: Whether there is a validation split.

    Raises:
        OptionError: The device is not available, or not that many of it.
    """
    device = torch_device(options.device)
    _require_devices(options, device)
    return lightning.Trainer(
        accelerator={"cpu": "cpu", "cuda": "gpu", "mps": "mps"}[device.type],
        devices=options.devices,
        num_nodes=options.nodes,
        strategy="ddp" if options.devices * options.nodes > 1 else "auto",
        precision=_precision(options, device),
        max_epochs=options.epochs,
        accumulate_grad_batches=options.accumulate,
        gradient_clip_val=options.gradient_clip or None,
        callbacks=callbacks,
        logger=TensorBoardLogger(folder.path, name="", version="tensorboard"),
        log_every_n_steps=1,
        limit_val_batches=1.0 if validate else 0,
        # another loader after the epochs on a subset
        reload_dataloaders_every_n_epochs=1 if options.subset_epochs else 0,
        use_distributed_sampler=False,  # our loaders read their own part of an epoch
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder.path,
    )


@contextmanager
def calm_lightning() -> Iterator[None]:
    """Silence Lightning's hints, let Ctrl-C raise KeyboardInterrupt, keep native signal handlers.

    Lightning turns KeyboardInterrupt into `sys.exit(1)` and ignores the signal from then on.
    """
    loggers = [logging.getLogger(name) for name in ("lightning", "lightning.pytorch")]
    levels = [logger.level for logger in loggers]
    main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if main_thread else None
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with keep_native_handlers(), warnings.catch_warnings():
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
    """Return the precision, that of `"auto"` by the device."""
    if options.precision != "auto":
        return options.precision
    mixed = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if mixed else "32-true"


def _require_devices(options: TrainOptions, device: torch.device) -> None:
    """Check that there are enough GPUs."""
    if device.type == "cuda" and options.devices > torch.cuda.device_count():
        raise OptionError(
            f"--devices {options.devices}: this machine has {torch.cuda.device_count()} GPU(s)."
        )
    if device.type == "mps" and options.devices > 1:
        raise OptionError("--devices: Apple's GPU is a single device; use --devices 1.")
