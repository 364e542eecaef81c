"""The base of a data module that both names of Lightning accept."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def data_module_bases() -> tuple[type[Any], ...]:
    """Return the `LightningDataModule` of `lightning`, of `pytorch_lightning`, or of both.

    They are the same code under two names, and each one's trainer asks for its own class.

    Raises:
        ModuleNotFoundError: Neither is installed.
    """
    bases = []
    missing: ModuleNotFoundError | None = None
    for name in ("pytorch_lightning", "lightning.pytorch"):
        try:
            bases.append(import_module(name).LightningDataModule)
        except ModuleNotFoundError as error:
            missing = error
    if missing is not None and not bases:
        raise missing
    return tuple(reversed(bases))
