"""Samples as rows of the manifest."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.core.schema import SCHEMA
from ferdata.ingesters import dataset_info
from ferdata.ingesters.sample import Sample, samples_table


def sample(key: str, **values: object) -> Sample:
    return Sample(key=key, uri=f"{key}.png", label="anger", label_native="0", **values)  # type: ignore[arg-type]


def test_every_field_becomes_a_column() -> None:
    points = np.arange(8, dtype=np.float32).reshape(4, 2)
    values = {
        "label_confidence": 0.5,
        "soft_label": [0.5, 0, 0, 0.5, 0, 0, 0, 0],
        "votes": [1, 2, 3],
        "valence": -1.0,
        "action_units": ["AU12:3", "AU4"],
        "subject": "S010",
        "sequence": "004",
        "frame": 17,
        "box": [1, 2, 3, 4],
        "landmarks": points,
    }
    table = samples_table([sample("a", **values), sample("b")], "set", "layout", "crop")
    assert table.schema.equals(SCHEMA)
    first, second = table.to_pylist()
    assert first["sample_id"] == "set/a"
    assert (first["dataset"], first["layout"], first["framing"]) == ("set", "layout", "crop")
    for name, value in values.items():
        assert np.array_equal(first[name], value), name
    assert second["landmarks"] is None
    assert all(second[name] is None for name in values)


def test_points_of_different_numbers_stay_apart() -> None:
    one, two = np.zeros((1, 2), np.float32), np.ones((3, 2), np.float32)
    rows = [sample("a", landmarks=one), sample("b"), sample("c", landmarks=two.tolist())]
    column = samples_table(rows, "set", "layout", "crop")["landmarks"].to_pylist()
    assert column == [one.tolist(), None, two.tolist()]


def test_many_rows_and_none() -> None:
    assert samples_table([], "set", "layout", "crop").num_rows == 0
    rows = (sample(str(number), frame=number) for number in range(20_000))
    table = samples_table(rows, "set", "layout", "crop")
    assert table["frame"].to_pylist() == list(range(20_000))


def test_a_value_of_the_wrong_type_names_its_column() -> None:
    with pytest.raises(ManifestError, match="'frame'"):
        samples_table([sample("a", frame="seventeen")], "set", "layout", "crop")


def test_choices_have_defaults_and_are_checked() -> None:
    kdef = dataset_info("kdef")
    assert kdef.choose({}) == {"poses": "straight"}
    assert kdef.choose({"poses": None}) == {"poses": "straight"}
    assert kdef.choose({"poses": "all"}) == {"poses": "all"}
    with pytest.raises(UnknownNameError, match="--poses of kdef"):
        kdef.choose({"poses": "straigt"})
    with pytest.raises(OptionError, match=r"--label-rule .*kdef has no such option.*--poses"):
        kdef.choose({"label_rule": "majority"})
