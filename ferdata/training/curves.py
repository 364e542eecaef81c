"""The training curves of a run, from `metrics.csv`."""

from __future__ import annotations

import csv
from pathlib import Path

from ferdata.core.errors import ModelFileError
from ferdata.evaluation.figures import curves_figure, save_png
from ferdata.runs.folder import RunFolder
from ferdata.training.epoch_log import best_epoch


def write_curves(folder: RunFolder) -> Path:
    """Draw a run's `metrics.csv` as `curves.png`.

    Args:
        folder: The run, finished or not.

    Returns:
        The file.

    Raises:
        OptionError: The folder holds no run.
        ModelFileError: `metrics.csv` is missing or damaged.
        BuildError: The file can't be written.
    """
    record, rows = folder.read(), _read_rows(folder.metrics_file)
    length = "1 epoch" if len(rows) == 1 else f"{len(rows)} epochs"
    title = f"{record.spec.model} on {record.build['name']}, {length}"
    path = folder.path / "curves.png"
    save_png(curves_figure(rows, best_epoch(rows), title=title), path)
    return path


def _read_rows(path: Path) -> list[dict[str, float]]:
    """Read one row per epoch; empty cells are omitted."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                {name: float(cell) for name, cell in row.items() if cell}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, TypeError) as error:
        raise ModelFileError(
            f"{path}: not readable as a table with one row per epoch ({error})."
        ) from error
    if not rows or any("epoch" not in row for row in rows):
        raise ModelFileError(f"{path} has no epoch; `ferdata train` writes one row per epoch.")
    return rows
