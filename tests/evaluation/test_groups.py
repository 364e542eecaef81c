"""Scores by person, attribute and dataset."""

import numpy as np
import pytest
from support.builds import write_build
from support.runs import make_predictions

from ferdata.core.errors import ManifestError
from ferdata.data import Build, SplitArrays
from ferdata.evaluation.groups import group_scores, read_columns
from ferdata.evaluation.metrics import wilson_interval
from ferdata.evaluation.predictions import Predictions


def predictions(labels, predicted):
    return make_predictions(np.eye(3)[predicted], labels)


def test_groups_have_their_own_scores():
    given = predictions([0, 0, 1, 1, 2], [0, 1, 1, 1, 0])
    columns = {"subject": ["x", "x", "x", "y", ""], "dataset": ["one"] * 5, "race": [""] * 5}
    (subjects,) = group_scores(given, columns, "test")  # one dataset and no race: nothing to tell
    assert (subjects.by, subjects.split, subjects.known, subjects.unknown) == (
        "subject", "test", 4, 1,
    )  # fmt: skip
    x, y = subjects.groups
    assert (x.name, x.n, x.accuracy) == ("x", 3, pytest.approx(2 / 3))
    assert (x.accuracy_low, x.accuracy_high) == pytest.approx(wilson_interval(2, 3))
    assert x.macro_f1 == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert (y.n, y.accuracy) == (1, 1)
    assert subjects.mean_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert subjects.lowest == "x"


def test_each_image_is_looked_at_once_however_many_people_there_are(monkeypatch):
    given, looked_at = predictions([0, 1, 2] * 40, [0, 1, 1] * 40), []
    confusion = Predictions.confusion

    def counted(self, rows):
        looked_at.append(len(rows))
        return confusion(self, rows)

    monkeypatch.setattr(Predictions, "confusion", counted)
    people = [f"p{row % 30:02d}" for row in range(120)]
    (subjects,) = group_scores(given, {"subject": people}, "test")
    assert sum(looked_at) == 120
    assert [(group.n, group.accuracy) for group in subjects.groups[:3]] == [
        (4, 1.0), (4, 1.0), (4, 0.0),
    ]  # fmt: skip


def test_groups_are_sorted_as_people_count():
    columns = {"age_group": ["20-39", "4-19", "70+", "0-3", "4-19"]}
    (ages,) = group_scores(predictions([0] * 5, [0] * 5), columns, "test")
    assert [group.name for group in ages.groups] == ["0-3", "4-19", "20-39", "70+"]


def test_attributes_come_from_the_manifest_and_people_from_the_shard(tmp_path):
    people = [
        {"subject": "F01", "dataset": "kdef", "gender": "female"},
        {"subject": "F01", "dataset": "jaffe", "gender": "female", "age_group": "20-39"},
        {"dataset": "jaffe"},
    ]
    build = Build.open(write_build(tmp_path, {"test": [0, 1, 2]}, people={"test": people}))
    columns = read_columns(build, SplitArrays(build, "test"), np.array([2, 0, 1]))
    assert columns == {
        "subject": ["", "kdef/F01", "jaffe/F01"],  # two people of one number
        "gender": ["", "female", "female"],
        "race": ["", "", ""],
        "age_group": ["", "", "20-39"],
        "dataset": ["jaffe", "kdef", "jaffe"],
    }
    assert group_scores(predictions([0, 1, 2], [0, 1, 1]), columns, "test")[0].known == 2


def test_a_build_without_manifest_knows_no_attribute_and_a_broken_one_is_named(tmp_path):
    build = Build.open(write_build(tmp_path, {"test": [0, 1]}))
    arrays, index = SplitArrays(build, "test"), np.arange(2)
    assert read_columns(build, arrays, index)["gender"] == ["", ""]
    (tmp_path / "manifest.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(ManifestError, match=r"manifest\.parquet.*ferdata verify"):
        read_columns(build, arrays, index)
