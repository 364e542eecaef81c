"""Figures of a run, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ferdata.files import finish_atomically

_DARK = 0.55  # share of a row from which white digits are easier to read than dark ones


def confusion_figure(
    confusion: npt.ArrayLike, labels: Sequence[str], *, title: str, subtitle: str
) -> Figure:
    """Draw a confusion matrix: counts as digits, each true class's shares as colour.

    Args:
        confusion: Counts, shape (K, K); rows are true classes, columns are answers.
        labels: The K class names.
        title: What was evaluated, with the name of the split.
        subtitle: Its main numbers.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    side = 1.9 + 0.78 * len(labels)
    figure = Figure(figsize=(side + 0.9, side), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    mesh = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the true class")
    bar.ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    positions = range(len(labels))
    axes.set_xticks(positions, labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(
        positions, [f"{label} ({n})" for label, n in zip(labels, totals[:, 0], strict=True)]
    )
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (images)")
    axes.set_title(subtitle, fontsize=9)
    figure.suptitle(title, fontsize=11)
    for row in positions:
        for column in positions:
            share = shares[row, column]
            axes.text(
                column,
                row,
                f"{counts[row, column]}\n{share:.0%}" if counts[row, column] else "0",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if share > _DARK else "#22303c" if counts[row, column] else "#9aa5ae",
            )
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with finish_atomically(path) as partial:
        figure.savefig(partial, format="png")
