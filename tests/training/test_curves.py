"""Training curves, and names in figures."""

import cv2
import numpy as np

from ferdata.evaluation.calibration import calibrate
from ferdata.evaluation.figures import (
    confusion_figure,
    contact_sheet,
    curves_figure,
    reliability_figure,
    save_png,
)
from ferdata.training.epoch_log import best_epoch


def row(epoch, accuracy, loss):
    return {"epoch": epoch, "lr": 0.1 / epoch, "train_loss": 1.0 / epoch,
            "validation_accuracy": accuracy, "validation_loss": loss}  # fmt: skip


def test_the_best_epoch_has_the_highest_accuracy_then_the_lowest_loss_then_comes_first():
    rows = [row(1, 0.5, 1.0), row(2, 0.8, 0.9), row(3, 0.8, 0.7), row(4, 0.8, 0.7), row(5, 0.7, 0)]
    assert best_epoch(rows) == 3
    assert best_epoch([{"epoch": 1, "train_loss": 1.0}]) is None


def test_curves_show_the_columns_and_mark_the_best_epoch():
    figure = curves_figure([row(1, 0.5, 1.0), row(2, 0.8, 0.9)], 2, title="lmfer on rafdb")
    losses, accuracy, rate = figure.axes
    assert [line.get_ydata().tolist() for line in losses.lines[:2]] == [[1.0, 0.5], [1.0, 0.9]]
    assert accuracy.lines[0].get_ydata().tolist() == [0.5, 0.8]
    assert rate.lines[0].get_ydata().tolist() == [0.1, 0.05]
    assert all(axes.lines[-1].get_xdata() == [2, 2] for axes in figure.axes)
    assert "best epoch on validation: 2" in losses.get_title()


def test_columns_that_a_run_lacks_are_not_drawn():
    figure = curves_figure([{"epoch": 1, "lr": 0.1, "train_loss": 2.0}], None, title="plain")
    losses, accuracy, _ = figure.axes
    assert [line.get_ydata().tolist() for line in losses.lines] == [[2.0]]
    assert accuracy.texts[0].get_text() == "not recorded"


def test_dollars_in_a_name_are_not_math(tmp_path):
    name = r"$\frac{$"  # invalid math
    pixels = np.zeros((1, 16, 16, 3), np.uint8)
    calibration = calibrate(np.log([[0.9, 0.1]]), np.array([0]))
    for figure in (
        confusion_figure([[1, 0], [0, 1]], [name, "b"], title=name, subtitle=name),
        reliability_figure(calibration, title=name),
        curves_figure([row(1, 0.5, 1.0)], 1, title=name),
        contact_sheet(pixels, [name], title=name, subtitle=name),
    ):
        save_png(figure, tmp_path / "figure.png")
        assert cv2.imread(str(tmp_path / "figure.png")).std() > 5
