"""The Lightning trainer as ferdata sets it up: our own log, bar and checkpoints, no chatter."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.trainer.connectors.signal_connector import _SignalConnector
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from ferdata.core.errors import OptionError
from ferdata.evaluation.evaluate import torch_device
from ferdata.runs.folder import RunFolder
from ferdata.runs.options import TrainOptions


def is_first_process() -> bool:
    """Say whether this is the process that writes and prints, where several train together."""
    # until the trainer is there, the first process of another machine knows its node's rank only
    node = os.environ.get("NODE_RANK") or os.environ.get("GROUP_RANK") or "0"
    return node == "0" and not getattr(rank_zero_only, "rank", 0)


def make_trainer(
    options: TrainOptions, folder: RunFolder, callbacks: list[Callback], *, validate: bool
) -> lightning.Trainer:
    """Make the trainer of a run.

    Several devices or machines train together by DistributedDataParallel: each process sees its
    part of every epoch, and gradients are averaged.

    Args:
        options: Devices, precision, epochs, accumulation, gradient clipping.
        folder: Where TensorBoard's log goes.
        callbacks: What happens around the steps.
        validate: Whether there is a validation split.

    Raises:
        OptionError: The device is not there, or not as many of it.
    """
    device = torch_device(options.device)
    _require_devices(options, device)
    trainer = lightning.Trainer(
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
        # the loader of another part of train, once the epochs on a subset are over
        reload_dataloaders_every_n_epochs=1 if options.subset_epochs else 0,
        use_distributed_sampler=False,  # our loaders know their part of an epoch
        num_sanity_val_steps=0,  # validation reads the same shards as training: nothing to find
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder.path,
    )
    trainer._signal_connector = _FewSignals(trainer)
    return trainer


class _FewSignals(_SignalConnector):  # type: ignore[misc]
    """Puts back, after a run, the handlers of those signals only that a run has changed.

    Lightning puts back all, as Python knows them. Python does not know handlers that a native
    library has installed, so theirs became "end the process": a detector now and then times itself
    by SIGPROF, and killed any process that had trained before.
    """

    @staticmethod
    def _get_current_signal_handlers() -> dict[int, Any]:
        changed = [signal.SIGTERM, *([signal.SIGUSR1] if hasattr(signal, "SIGUSR1") else [])]
        return {number: signal.getsignal(number) for number in changed}


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


def _require_devices(options: TrainOptions, device: torch.device) -> None:
    """Check that there are as many GPUs as are asked for."""
    if device.type == "cuda" and options.devices > torch.cuda.device_count():
        raise OptionError(
            f"--devices {options.devices}: this machine has {torch.cuda.device_count()} GPU(s)."
        )
    if device.type == "mps" and options.devices > 1:
        raise OptionError("--devices: Apple's GPU is one device; leave it out.")
