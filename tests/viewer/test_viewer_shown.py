"""What is shown: filters, order, images, landmarks, copies, neighbors, findings."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("starlette")

from support.pages import HOSTILE
from support.viewer import HASHES, client_of, shown_of

from ferdata.data.arrays import SplitArrays
from ferdata.data.build import Build
from ferdata.shards.dummies import write_dummy_build
from ferdata.viewer.shown import Shown

CLASSES = (HOSTILE, "]]></script>", "<!-- & ' \u2028")


def page(shown: Shown, **query: Any) -> list[dict[str, Any]]:
    answer = client_of(shown).get("/api/rows", params=query).json()
    assert answer["total"] >= len(answer["rows"])
    return answer["rows"]


def ids(shown: Shown, **query: Any) -> list[str]:
    return [each["id"].removeprefix("spots/") for each in page(shown, **query)]


def test_all_rows_in_the_order_of_the_build(shown: Shown) -> None:
    found = page(shown)
    assert [each["row"] for each in found] == list(range(14))
    assert {each["label"] for each in found} == {*CLASSES}
    assert [each["copy"] for each in found] == [False] * 6 + [True] * 2 + [False] * 6


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"split": "test"}, ["test_0", "test_1", "test_2"]),
        ({"label": CLASSES[2]}, ["train_2", "validation_2", "test_2"]),
        ({"label": CLASSES[2], "split": "test"}, ["test_2"]),
        ({"label": "none of them"}, []),
        ({"dataset": HOSTILE}, ["train_2"]),
        ({"finding": "quality: dark"}, ["train_1", "train_2"]),
        ({"finding": "quality: blurred"}, ["train_1"]),
        ({"finding": "face: eyes"}, ["train_1"]),
        ({"finding": "quality: unknown"}, []),
        ({"kind": "copies"}, ["train_6", "train_7"]),
        ({"kind": "sources", "label": HOSTILE, "count": 3}, ["train_0", "train_3", "train_5"]),
        ({"search": "TEST_1"}, ["test_1"]),
        ({"search": "%"}, []),
        ({"least": 0.1}, []),
        ({"start": 2, "count": 3}, ["train_2", "train_3", "train_4"]),
        ({"start": 13, "descending": True}, ["train_0"]),
        ({"sort": "id", "count": 2}, ["test_0", "test_1"]),
        ({"sort": "id", "count": 1, "descending": True}, ["validation_2"]),
    ],
)  # fmt: skip
def test_filters(shown: Shown, query: dict[str, Any], expected: list[str]) -> None:
    assert ids(shown, **query) == expected


def test_sorting_by_class_keeps_the_order_of_the_build(shown: Shown) -> None:
    found = page(shown, sort="class")
    assert [(each["label"], each["row"]) for each in found] == sorted(
        (each["label"], each["row"]) for each in found
    )


def test_facets_count_what_filters_find(shown: Shown) -> None:
    about = client_of(shown).get("/api/about").json()
    for name, values in about["facets"].items():
        for value, count in values if isinstance(values, list) else ():
            assert len(ids(shown, **{name: value})) == count, (name, value)
    assert [name for name, _ in about["facets"]["split"]] == ["test", "train", "validation"]
    assert (about["total"], about["facets"]["copies"]) == (14, 2)


def test_each_row_has_its_own_image(shown: Shown, viewed_build: Path) -> None:
    stored = {name: SplitArrays(viewed_build, name) for name in Build.open(viewed_build).splits}
    client = client_of(shown)
    for each in page(shown, descending=True):
        number = int(each["id"].rpartition("_")[2])
        expected = stored[each["split"]].gather([number])["image"][0]
        file = client.get(f"/image/{each['row']}?full").content
        found = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert (found == expected).all()
        head, _, data = each["image"].partition(",")
        assert head == "data:image/jpeg;base64"
        array = np.frombuffer(base64.b64decode(data), np.uint8)
        small = cv2.imdecode(array, cv2.IMREAD_COLOR_RGB)
        assert np.abs(small.astype(int) - expected).mean() < 25


def test_landmarks_come_if_asked_for(shown: Shown, viewed_build: Path) -> None:
    assert {each["points"] for each in page(shown)} == {""}
    points = SplitArrays(viewed_build, "test").gather([1], ("landmarks",))["landmarks"][0]
    (found,) = page(shown, search="test_1", landmarks=True)
    assert found["points"].count("h0") == 51  # without the jaw
    assert f"M{points[40, 0]:.1f} {points[40, 1]:.1f}h0" in found["points"]


def test_a_copy_is_beside_its_original(shown: Shown) -> None:
    client = client_of(shown)
    for row in (0, 6):
        found = client.get(f"/api/row/{row}").json()["family"]
        assert [each["row"] for each in found] == [0, 6, 7]
        assert [each["text"] for each in found] == [
            "original", "brightness, factor 1.13", "brightness, factor 1.13",
        ]  # fmt: skip
    assert [each["row"] for each in client.get("/api/row/3").json()["family"]] == [3]


def test_neighbors_are_those_of_the_nearest_hashes(shown: Shown) -> None:
    bits = [int(each, 16) for each in HASHES]
    for row in range(5):
        others = [k for k in range(5) if k != row]  # neither copies nor the one without structure
        expected = sorted(others, key=lambda k: ((bits[k] ^ bits[row]).bit_count(), k))
        found = client_of(shown).get(f"/api/row/{row}").json()["neighbors"]
        assert [each["row"] for each in found] == expected
        assert [each["text"] for each in found] == [
            f"{(bits[k] ^ bits[row]).bit_count()} of 256 bits differ" for k in expected
        ]
    assert client_of(shown).get("/api/row/6").json()["neighbors"][0]["row"] == 1
    for row in (5, 8):  # a hash without structure, and none
        assert client_of(shown).get(f"/api/row/{row}").json()["neighbors"] == []


def test_a_row_tells_what_is_known(shown: Shown) -> None:
    facts = client_of(shown).get("/api/row/1").json()["facts"]
    assert ["uri", f"{HOSTILE}/1.png"] in facts
    assert [text for name, text in facts if name == "quality"] == ["dark:21.4", "blurred:0.1"]
    assert [text for name, text in facts if name == "found"] == [
        "quality: blurred", "quality: dark", "face: eyes",
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["raw", "jpeg", "png"])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_every_kind_of_shard(tmp_path: Path, encoding: str, channels: int) -> None:
    build = write_dummy_build(tmp_path / "build", encoding=encoding, channels=channels,
                              formats=("hdf5",))  # fmt: skip
    client = client_of(shown_of(build, tmp_path / "marks.json"))
    rows = client.get("/api/rows").json()["rows"]
    assert len(rows) == 49
    for each in (rows[0], rows[33], rows[48]):  # of every split
        expected = SplitArrays(build, each["split"])
        place = expected.column("sample_id").tolist().index(each["id"])
        file = client.get(f"/image/{each['row']}?full").content
        found = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert (found == expected.gather([place])["image"][0]).all()


def test_large_images_become_small(tmp_path: Path) -> None:
    build = write_dummy_build(
        tmp_path / "build", height=300, width=200, formats=("hdf5",), shards={"test": [2]}
    )
    shown = shown_of(build, tmp_path / "marks.json")
    file = client_of(shown).get("/image/0").content
    assert cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR).shape == (128, 85, 3)


def test_a_build_without_hdf5_says_why_there_are_no_images(tmp_path: Path) -> None:
    build = write_dummy_build(tmp_path / "build", formats=("hf",))
    record = json.loads((build / "build.json").read_text())
    record["options"]["formats"] = ["hf"]
    (build / "build.json").write_text(json.dumps(record))
    client = client_of(shown_of(build, tmp_path / "marks.json"))
    about = client.get("/api/about").json()
    assert (about["images"], "no HDF5 shards" in about["notes"][-1]) == (False, True)
    assert {each["image"] for each in page(shown_of(build, tmp_path / "m.json"))} == {""}
    assert "no HDF5 shards" in client.get("/image/0").json()["error"]
