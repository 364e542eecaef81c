"""Figures of a run, drawn without a display."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from ferdata.core.files import finish_atomically
from ferdata.evaluation.calibration import Calibration

_DARK = 0.55  # share of a row from which white digits are easier to read than dark ones
_INK, _BLUE, _ORANGE, _GRAY = "#22303c", "#2f6fae", "#d1662b", "#9aa5ae"
_SHEET_COLUMNS = 6


def confusion_figure(
    confusion: npt.ArrayLike, labels: Sequence[str], *, title: str, subtitle: str
) -> Figure:
    """Draw a confusion matrix: counts as digits, each true class's shares as color.

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
    figure = _new_figure(side + 1.7, side)
    axes = figure.subplots()
    mesh = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the true class")
    bar.ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    names, positions = [_plain(label) for label in labels], range(len(labels))
    axes.set_xticks(positions, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(
        positions, [f"{name} ({n})" for name, n in zip(names, totals[:, 0], strict=True)]
    )
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (images)")
    axes.set_title(_plain(subtitle), fontsize=9)
    figure.suptitle(_plain(title), fontsize=11)
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
                color="white" if share > _DARK else _INK if counts[row, column] else _GRAY,
            )
    return figure


def reliability_figure(calibration: Calibration, *, title: str) -> Figure:
    """Draw how often answers are right against how sure they are, and how many there are.

    Args:
        calibration: What to draw.
        title: What was evaluated, with the name of the split.
    """
    figure = _new_figure(6.2, 6.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    width = 1 / len(calibration.bins)
    for entry in calibration.bins:
        if entry.accuracy is None or entry.confidence is None:
            continue
        edge = {"x": entry.low, "width": width, "align": "edge", "edgecolor": "white"}
        upper.bar(height=entry.accuracy, color=_BLUE, **edge)
        upper.plot([entry.confidence], [entry.accuracy], "o", color=_INK, markersize=3.5)
        lower.bar(height=entry.n, color=_GRAY, **edge)
    upper.plot([0, 1], [0, 1], "--", color=_ORANGE, linewidth=1, label="perfectly calibrated")
    upper.plot([], [], "o", color=_INK, markersize=3.5, label="mean confidence of the bin")
    upper.set_ylim(0, 1)
    upper.set_ylabel("share of right answers")
    upper.legend(loc="upper left", fontsize=8, frameon=False)
    upper.set_title(
        f"expected calibration error {calibration.expected_error:.1%}, "
        f"negative log-likelihood {calibration.negative_log_likelihood:.3f}, "
        f"Brier score {calibration.brier:.3f}",
        fontsize=9,
    )
    lower.set_xlim(0, 1)
    lower.set_xlabel("confidence: probability of the answer")
    lower.set_ylabel("images")
    for axes in (upper, lower):
        _as_shares(axes.xaxis)
    _as_shares(upper.yaxis)
    figure.suptitle(_plain(title), fontsize=11)
    return figure


def curves_figure(
    rows: Sequence[Mapping[str, float]], best_epoch: int | None, *, title: str
) -> Figure:
    """Draw losses, validation accuracy and learning rate over the epochs.

    Args:
        rows: One row per epoch, as in `metrics.csv`; columns that are missing are not drawn.
        best_epoch: The epoch to mark, counted from 1.
        title: What was trained.
    """
    figure = _new_figure(6.4, 6.6)
    losses, shares, rate = figure.subplots(3, 1, sharex=True, height_ratios=(2, 2, 1))
    _draw_curve(losses, rows, "train_loss", _ORANGE, "train split")
    _draw_curve(losses, rows, "validation_loss", _BLUE, "validation split")
    _draw_curve(shares, rows, "validation_accuracy", _BLUE, "validation split")
    _draw_curve(rate, rows, "lr", _INK, "")
    losses.set_ylabel("loss")
    shares.set_ylabel("accuracy")
    rate.set_ylabel("learning rate")
    rate.set_xlabel("epoch")
    rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _as_shares(shares.yaxis)
    for axes in (losses, shares, rate):
        axes.grid(alpha=0.25)
        if best_epoch is not None:
            axes.axvline(best_epoch, color=_GRAY, linestyle="--", linewidth=1)
    for axes in (losses, shares):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, frameon=False)
        else:
            axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", color=_GRAY)
    if best_epoch is not None:
        losses.set_title(f"best epoch on validation: {best_epoch} (dashed)", fontsize=9)
    figure.suptitle(_plain(title), fontsize=11)
    return figure


def contact_sheet(
    images: npt.NDArray[np.uint8], captions: Sequence[str], *, title: str, subtitle: str
) -> Figure:
    """Lay pictures out in rows of six, each with its caption above it.

    Args:
        images: Shape (N, H, W, C) with 3 channels or 1, N ≥ 1.
        captions: N texts of two lines.
        title: What is shown.
        subtitle: Which of it.
    """
    lines = math.ceil(len(images) / _SHEET_COLUMNS)
    width, height = 1.6 * _SHEET_COLUMNS, 2.05 * lines + 0.75
    figure = Figure(figsize=(width, height), dpi=150)
    FigureCanvasAgg(figure)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        line, column = divmod(number, _SHEET_COLUMNS)
        left, bottom = 1.6 * column + 0.1, height - 0.75 - 2.05 * (line + 1) + 0.1
        axes = figure.add_axes((left / width, bottom / height, 1.4 / width, 1.4 / height))
        axes.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image, cmap="gray")
        axes.set_axis_off()
        axes.set_title(_plain(caption), fontsize=8, pad=3)
    figure.text(0.5, 1 - 0.27 / height, _plain(title), ha="center", fontsize=11)
    figure.text(0.5, 1 - 0.52 / height, _plain(subtitle), ha="center", fontsize=9)
    return figure


def cost_figure(
    names: Sequence[str],
    parameters: Sequence[int],
    accuracies: Sequence[tuple[float, float, float]],
    *,
    title: str,
) -> Figure:
    """Draw accuracy against the number of parameters, one point with its interval per run.

    Args:
        names: Names of the runs.
        parameters: Parameters of their models.
        accuracies: Accuracy, lower and upper end of its 95 % interval, 0–1.
        title: What was scored, with the name of the split.
    """
    figure = _new_figure(7.4, 4.6)
    axes = figure.subplots()
    for number, (name, count, (share, low, high)) in enumerate(
        zip(names, parameters, accuracies, strict=True)
    ):
        millions, spread = count / 1e6, [[max(0, share - low)], [max(0, high - share)]]
        color = f"C{number % 10}"
        axes.errorbar(
            [millions], [share], spread, fmt="o", color=color, capsize=3, label=_plain(name)
        )
    axes.set_xscale("log")
    axes.set_xlim(min(parameters) / 2e6, max(parameters) * 2 / 1e6)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("parameters (millions, logarithmic)")
    axes.set_ylabel("accuracy, with its 95 % interval")
    _as_shares(axes.yaxis)
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    figure.suptitle(_plain(title), fontsize=11)
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with finish_atomically(path) as partial:
        figure.savefig(partial, format="png")


def _new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of some inches that needs no display."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _plain(text: str) -> str:
    """Keep Matplotlib from reading a name: `$` as mathematics, a first `_` as not for legends."""
    escaped = text.replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped


def _draw_curve(
    axes: Any, rows: Sequence[Mapping[str, float]], name: str, color: str, label: str
) -> None:
    """Draw one column over the epochs, where it is there; a dot for each epoch, as one may do."""
    points = [(row["epoch"], row[name]) for row in rows if name in row]
    if points:
        axes.plot(*zip(*points, strict=True), ".-", color=color, label=label, linewidth=1.3)


def _as_shares(axis: Any) -> None:
    """Label an axis in percent."""
    axis.set_major_formatter(lambda share, _: f"{share:.0%}")
