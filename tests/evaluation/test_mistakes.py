"""The contact sheet of errors."""

import cv2
import numpy as np
import pytest
from support.builds import write_build
from support.runs import make_predictions

from ferdata.data import Build, SplitArrays
from ferdata.evaluation.figures import contact_sheet
from ferdata.evaluation.mistakes import worst_mistakes, write_mistakes


def test_the_surest_mistakes_come_first():
    given = make_predictions([[9, 0], [1, 0], [0, 3], [2, 0], [0, 1]], [0, 1, 0, 1, 1])
    assert worst_mistakes(given).tolist() == [2, 3, 1]
    assert worst_mistakes(given, 2).tolist() == [2, 3]


def test_a_sheet_shows_each_picture_once_in_its_place():
    images = np.zeros((8, 4, 4, 3), np.uint8)
    images[:, :, :, 0] = np.arange(8)[:, None, None]
    figure = contact_sheet(images, [f"c{k}" for k in range(8)], title="t", subtitle="s")
    shown = [axes.images[0].get_array()[0, 0, 0] for axes in figure.axes]
    assert shown == list(range(8))
    assert [axes.get_title() for axes in figure.axes] == [f"c{k}" for k in range(8)]
    left, right, below = (figure.axes[k].get_position() for k in (0, 5, 6))
    assert left.x0 < right.x0 < 1
    assert below.y1 < left.y0
    assert below.x0 == pytest.approx(left.x0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_is_there_only_if_something_is_wrong(tmp_path, channels):
    build = Build.open(write_build(tmp_path / "b", {"test": [0, 1]}, channels=channels))
    arrays = SplitArrays(build, "test")
    write_mistakes(make_predictions([[0, 1], [0, 1]], [0, 1]), arrays, tmp_path, title="x")
    assert cv2.imread(str(tmp_path / "mistakes.png")).std() > 5
    write_mistakes(make_predictions([[1, 0], [0, 1]], [0, 1]), arrays, tmp_path, title="x")
    assert not (tmp_path / "mistakes.png").exists()
