"""Training curves from a run's rows per epoch."""

import cv2
import numpy as np
import pytest
from support.runs import make_spec

from ferdata.core.errors import ModelFileError
from ferdata.evaluation.calibration import calibrate
from ferdata.evaluation.figures import (
    confusion_figure,
    contact_sheet,
    curves_figure,
    reliability_figure,
    save_png,
)
from ferdata.runs.folder import RunFolder, RunRecord
from ferdata.runs.options import TrainOptions
from ferdata.training.curves import best_epoch, write_curves


def row(epoch, accuracy, loss):
    return {"epoch": epoch, "lr": 0.1 / epoch, "train_loss": 1.0 / epoch,
            "validation_accuracy": accuracy, "validation_loss": loss}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    run = RunFolder(tmp_path)
    run.write(RunRecord(options=TrainOptions(), build={"name": "spots"}, spec=make_spec()))
    return run


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


def test_a_run_without_validation_has_curves_too(folder):
    folder.metrics_file.write_text("epoch,lr,train_loss,validation_loss\n1,0.1,2.0,\n")
    path = write_curves(folder)
    assert path == folder.path / "curves.png"
    assert cv2.imread(str(path)).std() > 5


@pytest.mark.parametrize("text", ["", "epoch,lr\n", "epoch,lr\n1,much\n", "lr\n0.1\n"])
def test_damaged_rows_are_named(folder, text):
    folder.metrics_file.write_text(text)
    with pytest.raises(ModelFileError, match=r"metrics\.csv"):
        write_curves(folder)


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
