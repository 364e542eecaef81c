"""The base of a data module that both names of Lightning accept."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_PACKAGES = ("pytorch_lightning", "lightning.pytorch")


def data_module_bases() -> tuple[type[Any], ...]:
    """Return the `LightningDataModule` of `lightning`, of `pytorch_lightning`, or of both.

    They are the same code under two names, and each one's trainer asks for its own class.

    Raises:
        ModuleNotFoundError: Neither is installed.
    """
    loaded = any(name in sys.modules for name in _PACKAGES)
    log = import_module("lightning_utilities.core.rank_zero").log if loaded else None
    bases = []
    missing: ModuleNotFoundError | None = None
    for name in _PACKAGES:
        try:
            bases.append(import_module(name).LightningDataModule)
        except ModuleNotFoundError as error:
            missing = error
    if missing is not None and not bases:
        raise missing
    if loaded:
        # The one that is imported last makes its own logger that of both.
        import_module("lightning_utilities.core.rank_zero").log = log  # type: ignore[attr-defined]
    return tuple(reversed(bases))
