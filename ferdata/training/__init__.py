"""From batches to a model: the Lightning task, losses, optimizers and schedules, one run.

    report = run_training(Path("out/rafdb"), Path("runs/mine"), TrainOptions(epochs=3))

Names are loaded on first use, since torch, timm and Lightning are heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.training.report import RunReport
    from ferdata.training.run import run_training

__all__ = ["RunReport", "run_training"]

__getattr__, __dir__ = lazy_names(__name__, {"RunReport": "report", "run_training": "run"})
