"""What a run records of how its build's images were framed."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.errors import ManifestError
from ferdata.core.labels import CANONICAL, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.data.framing import describe_framing
from ferdata.faces.align import alignment_matrix, transform_points

SIZES = [(100, 100), (48, 48), (90, 120)]
POINTS = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]])


def write_manifest(root, rows):
    required = {"dataset": "drawn", "layout": "flat", "framing": "crop", "split": "train",
                "label": "anger"}  # fmt: skip
    table = [
        {**required, "sample_id": f"drawn/{number}", "uri": f"{number}.png", **row}
        for number, row in enumerate(rows)
    ]
    space = LabelSpace("canonical8", CANONICAL)
    Manifest.from_rows(table, space).save(root / "manifest.parquet")


def crop(width, height, shift=0.0, **columns):
    points = (POINTS + shift) * (width, height)
    return {"width": width, "height": height, "five_points": points.ravel().tolist(), **columns}


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_place_is_where_the_build_puts_the_points(tmp_path, width, height):
    write_manifest(tmp_path, [crop(width, height)])
    found = describe_framing(tmp_path)
    assert found["framings"] == ["crop"]
    matrix = alignment_matrix("none", None, width, height, 64)
    wanted = transform_points(POINTS * (width, height), matrix)
    assert np.array(found["five_points"]) * 64 - 0.5 == pytest.approx(wanted, abs=1e-3)


def test_only_source_crops_of_train_with_points_count(tmp_path):
    rows = [
        *(crop(50, 50, shift) for shift in (-0.02, 0.0, 0.02)),
        crop(50, 50, 0.2, split="test"),
        crop(50, 50, 0.2, parent_id="drawn/0", copy_index=1, operations="[]"),
        crop(50, 50, 0.2, framing="photograph"),
        {"width": 50, "height": 50},
    ]
    write_manifest(tmp_path, rows)
    found = describe_framing(tmp_path)
    assert found["framings"] == ["crop", "photograph"]
    assert np.array(found["five_points"]) == pytest.approx(POINTS + 0.01, abs=1e-4)


def test_photographs_and_crops_without_points_have_no_place(tmp_path):
    write_manifest(tmp_path, [crop(50, 50, framing="photograph"), {"width": 50, "height": 50}])
    assert describe_framing(tmp_path)["five_points"] is None


def test_a_build_without_a_manifest_is_unknown_and_a_broken_one_an_error(tmp_path):
    assert describe_framing(tmp_path) == {"framings": [], "five_points": None}
    (tmp_path / "manifest.parquet").write_bytes(b"PAR1")
    with pytest.raises(ManifestError, match="run `ferdata verify`"):
        describe_framing(tmp_path)
