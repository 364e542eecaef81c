"""Options of `evaluate` and `compare`; importing them loads nothing heavy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ferdata.core.options import Options


class EvaluationOptions(Options):
    """Options of `evaluate`."""

    checkpoint: Literal["best", "last"] | None = None
    """Checkpoint to use [default: the one that the run selected]."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to compute; `auto` uses a GPU if there is one."""


class ComparisonOptions(Options):
    """Options of `compare`."""

    repeats: int = Field(20, ge=1)
    """Forward passes to time for each batch size."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to compute; `auto` uses a GPU if there is one."""
