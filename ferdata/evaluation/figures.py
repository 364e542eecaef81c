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

_DARK = 0.55  # fraction of a row above which white digits are easier to read than dark ones
_INK, _BLUE, _ORANGE, _GRAY = "#22303c", "#2f6fae", "#d1662b", "#9aa5ae"
_SHEET_COLUMNS = 6


def confusion_figure(
    confusion: npt.ArrayLike, labels: Sequence[str], *, title: str, subtitle: str
) -> Figure:
    """Draw a confusion matrix: counts as digits, fractions of each true class as color.

    Args:
        confusion: Counts, shape (K, K); rows are true classes, columns are predictions.
        labels: The K class names.
        title: Model, build and split.
        subtitle: The main scores.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    totals = counts.sum(axis=1, keepdims=True)
    fractions = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    side = 1.9 + 0.78 * len(labels)
    figure = _new_figure(side + 1.7, side)
    axes = figure.subplots()
    mesh = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("percentage of the true class")
    _as_percentages(bar.ax.yaxis)
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
            fraction = fractions[row, column]
            axes.text(
                column,
                row,
                f"{counts[row, column]}\n{fraction:.0%}" if counts[row, column] else "0",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if fraction > _DARK else _INK if counts[row, column] else _GRAY,
            )
    return figure


def reliability_figure(calibration: Calibration, *, title: str) -> Figure:
    """Draw the accuracy of predictions against their confidence, and their number.

    Args:
        calibration: The calibration.
        title: Model, build and split.
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
    upper.set_ylabel("accuracy")
    upper.legend(loc="upper left", fontsize=8, frameon=False)
    upper.set_title(
        f"expected calibration error {calibration.expected_error:.1%}, "
        f"negative log-likelihood {calibration.negative_log_likelihood:.3f}, "
        f"Brier score {calibration.brier:.3f}",
        fontsize=9,
    )
    lower.set_xlim(0, 1)
    lower.set_xlabel("confidence: probability of the predicted class")
    lower.set_ylabel("images")
    for axes in (upper, lower):
        _as_percentages(axes.xaxis)
    _as_percentages(upper.yaxis)
    figure.suptitle(_plain(title), fontsize=11)
    return figure


def curves_figure(
    rows: Sequence[Mapping[str, float]], best_epoch: int | None, *, title: str
) -> Figure:
    """Draw losses, validation accuracy and learning rate over the epochs.

    Args:
        rows: One row per epoch, as in `metrics.csv`; missing columns are not drawn.
        best_epoch: The epoch to mark, counted from 1.
        title: Model and build.
    """
    figure = _new_figure(6.4, 6.6)
    losses, accuracy, rate = figure.subplots(3, 1, sharex=True, height_ratios=(2, 2, 1))
    _draw_curve(losses, rows, "train_loss", _ORANGE, "train split")
    _draw_curve(losses, rows, "validation_loss", _BLUE, "validation split")
    _draw_curve(accuracy, rows, "validation_accuracy", _BLUE, "validation split")
    _draw_curve(rate, rows, "lr", _INK, "")
    losses.set_ylabel("loss")
    accuracy.set_ylabel("accuracy")
    rate.set_ylabel("learning rate")
    rate.set_xlabel("epoch")
    rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _as_percentages(accuracy.yaxis)
    for axes in (losses, accuracy, rate):
        axes.grid(alpha=0.25)
        if best_epoch is not None:
            axes.axvline(best_epoch, color=_GRAY, linestyle="--", linewidth=1)
    for axes in (losses, accuracy):
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
    """Lay images out in rows of six, each with its caption above it.

    Args:
        images: Shape (N, H, W, C) with 3 channels or 1, N ≥ 1.
        captions: N captions of two lines.
        title: Model, build and split.
        subtitle: Which images are shown.
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
        parameters: Number of parameters of each model.
        accuracies: Accuracy, lower and upper end of its 95 % interval, 0–1.
        title: Split and build.
    """
    figure = _new_figure(7.4, 4.6)
    axes = figure.subplots()
    for number, (name, count, (value, low, high)) in enumerate(
        zip(names, parameters, accuracies, strict=True)
    ):
        millions, spread = count / 1e6, [[max(0, value - low)], [max(0, high - value)]]
        color = f"C{number % 10}"
        axes.errorbar(
            [millions], [value], spread, fmt="o", color=color, capsize=3, label=_plain(name)
        )
    axes.set_xscale("log")
    axes.set_xlim(min(parameters) / 2e6, max(parameters) * 2 / 1e6)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("parameters (millions, logarithmic)")
    axes.set_ylabel("accuracy, with its 95 % interval")
    _as_percentages(axes.yaxis)
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    figure.suptitle(_plain(title), fontsize=11)
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically."""
    with finish_atomically(path) as partial:
        figure.savefig(partial, format="png")


def _new_figure(width: float, height: float) -> Figure:
    """Make an empty figure that needs no display; width and height in inches."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _plain(text: str) -> str:
    """Escape `$`, which Matplotlib reads as math, and a leading `_`, which hides a legend entry."""
    escaped = text.replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped


def _draw_curve(
    axes: Any, rows: Sequence[Mapping[str, float]], name: str, color: str, label: str
) -> None:
    """Draw one column over the epochs, with a dot for each, since a run may have a single one."""
    points = [(row["epoch"], row[name]) for row in rows if name in row]
    if points:
        axes.plot(*zip(*points, strict=True), ".-", color=color, label=label, linewidth=1.3)


def _as_percentages(axis: Any) -> None:
    """Label an axis in percent."""
    axis.set_major_formatter(lambda value, _: f"{value:.0%}")
