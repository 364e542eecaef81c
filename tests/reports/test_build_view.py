"""What a page says about a build: the way of the data, sheets, copies, attributes, duplicates."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from support.pages import HOSTILE

from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest
from ferdata.data.arrays import SplitArrays
from ferdata.data.build import Build
from ferdata.faces.schemes import scheme
from ferdata.reports.builds import describe_build
from ferdata.reports.options import ReportOptions
from ferdata.reports.sheets import operations_in_words
from ferdata.reports.stages import stages
from ferdata.reports.thumbnails import SIDE, dots, thumbnail
from ferdata.reports.views import BuildView
from ferdata.shards.record import BuildRecord


@pytest.fixture(scope="module")
def view(hostile_build: Path) -> BuildView:
    return describe_build(Build.open(hostile_build), ReportOptions())


def record_of(folder: Path, **changes: object) -> BuildRecord:
    values = json.loads((folder / "build.json").read_text())
    return BuildRecord.of(values | changes, folder / "build.json")


def test_stages_add_up(view: BuildView) -> None:
    way = view.stages
    assert [stage.name for stage in way] == [
        "read", "ingest", "faces", "curate", "split", "augment", "render",
    ]  # fmt: skip
    for before, after in itertools.pairwise(way):
        assert after.rows == before.rows - after.removed + after.added
    assert way[0].rows == 13  # 11 originals and 2 rejects
    assert way[-1].rows == view.images == 13
    assert (view.sources, view.copied, way[5].added) == (11, 2, 2)


def test_rows_that_could_not_be_rendered_were_planned(hostile_build: Path) -> None:
    values = json.loads((hostile_build / "build.json").read_text())
    split = {name: dict(counts) for name, counts in values["summary"]["before"].items()}
    split["train"]["]]></script>"] += 1  # an original that failed, beside a copy that did
    record = record_of(
        hostile_build,
        rejects={"total": 2, "by_stage": {"build": 2}},
        summary=values["summary"] | {"provenance": {"split": {"counts": split}}},
    )
    way = stages(record)
    assert [(each.rows, each.removed, each.added) for each in way[4:]] == [
        (12, 0, 0), (15, 0, 3), (13, 2, 0),
    ]  # fmt: skip


def test_augmentation_before_the_split_comes_before_it(hostile_build: Path) -> None:
    options = {"augment": "balance", "augment_before_split": True, "duplicates": "keep"}
    way = stages(record_of(hostile_build, options=options))
    assert [stage.name for stage in way[-3:]] == ["augment", "split", "render"]
    assert [stage.rows for stage in way[-3:]] == [13, 13, 13]


def test_sheets_show_originals_of_their_class(view: BuildView) -> None:
    assert [sheet.label for sheet in view.sheets] == list(view.record.space.names)
    for sheet in view.sheets:
        assert {image.label for image in sheet.samples} == {sheet.label}
        assert len({image.sample for image in sheet.samples}) == len(sheet.samples)
        assert all(image.points for image in sheet.samples)
    first = view.sheets[0]
    shown = {image.sample for image in first.samples}
    assert shown == {"spots/train_0", "spots/train_3", "spots/validation_0", "spots/test_0"}
    assert first.averaged == 4


def test_the_number_of_samples_is_an_option(hostile_build: Path) -> None:
    view = describe_build(Build.open(hostile_build), ReportOptions(samples=1))
    assert [len(sheet.samples) for sheet in view.sheets] == [3, 3, 3]


def test_a_mean_face_is_the_mean_of_the_stored_images(view: BuildView, hostile_build: Path) -> None:
    images = [
        SplitArrays(hostile_build, split).gather([row], ("image",))["image"][0].astype(float)
        for split, row in (("train", 0), ("train", 3), ("validation", 0), ("test", 0))
    ]
    shown = view.sheets[0].mean
    assert shown is not None
    found, expected = decoded(shown.image).astype(float), np.mean(images, axis=0)
    blocks = (4, 8, 4, 8, 3)  # JPEG keeps the means of 8×8 pixels, not the noise inside
    difference = (found - expected).reshape(blocks).mean(axis=(1, 3))
    assert np.abs(difference).max() < 4
    assert np.abs(images[0] - expected).reshape(blocks).mean(axis=(1, 3)).max() > 8


def test_copies_stand_beside_their_original(view: BuildView) -> None:
    (sheet,) = view.copies
    assert sheet.original.sample == "spots/train_0"
    assert [copy.sample for copy in sheet.copies] == ["spots/train_5", "spots/train_6"]
    assert {copy.text for copy in sheet.copies} == {"horizontal flip; brightness, factor 1.13"}


def test_operations_without_seeds() -> None:
    text = '[{"op":"gaussian_noise","sigma":8.851,"seed":123},{"op":"translation","x":0.1,"y":2}]'
    assert operations_in_words(text) == "gaussian noise, sigma 8.85; translation, x 0.1, y 2"
    assert operations_in_words("") == "none"


def test_attributes_count_originals_by_class(view: BuildView) -> None:
    (gender,) = view.attributes
    assert (gender.name, gender.unknown) == ("gender", 0)
    assert list(gender.counts) == [HOSTILE]


def test_rejects_are_shown_by_kind(view: BuildView) -> None:
    assert [row.stage for row in view.rejected] == ["ingest", "curate"]


def test_duplicates_are_shown_side_by_side(make_build: Callable[..., Path]) -> None:
    people = {"train": [{"subject": str(k)} for k in range(4)], "test": [{"subject": "9"}]}
    root = make_build(rows={"train": [0, 0, 1, 2], "test": [0]}, people=people)
    manifest = Manifest.load(root / "manifest.parquet")
    hashes = ["a", "b", "a", "c", "b"]  # train_0 = train_2 with another label, train_1 = test_0
    splits = ["train"] * 4 + ["test"]
    manifest.with_column("pixel_sha256", hashes).with_column("split", splits).save(
        root / "manifest.parquet"
    )
    found = describe_build(Build.open(root), ReportOptions()).duplicates
    assert found.stored == 2
    assert [group.samples for group in found.groups] == [
        ("spots/train_0", "spots/train_2"), ("spots/test_0", "spots/train_1"),
    ]  # fmt: skip
    assert [len(group.images) for group in found.groups] == [2, 2]
    assert set(found.groups[0].labels) == {BASIC7.names[0], BASIC7.names[1]}
    assert set(found.groups[1].splits) == {"train", "test"}
    nameless = describe_build(Build.open(root), ReportOptions(faces=False)).duplicates
    assert [(group.samples, group.images) for group in nameless.groups] == [((), ()), ((), ())]


def test_a_build_without_hdf5_says_why_there_are_no_images(make_build: Callable[..., Path]) -> None:
    root = make_build()
    record = record_of(root, options={"formats": ["hf"], "size": 32})
    view = describe_build(Build(root, record), ReportOptions())
    assert view.sheets == ()
    assert "HDF5" in view.without_images


def test_large_images_become_small() -> None:
    pixels = np.full((300, 200, 1), 77, np.uint8)
    points = np.array([[100.0, 150.0], [np.nan, 3.0]])
    small = thumbnail(pixels, points)
    assert (small.width, small.height) == (64, SIDE)
    assert small.points == "M32.0 48.0h0"
    assert abs(int(decoded(small.image).mean()) - 77) <= 1


def test_of_a_mesh_only_the_parts_of_the_face_are_drawn() -> None:
    mesh = scheme("mediapipe478")
    drawn = dots(np.random.default_rng(0).uniform(0, 90, (478, 2)), mesh)
    parts = {point for part in mesh.regions.values() for point in part}
    assert drawn.count("M") == len(parts) < 478


def decoded(uri: str) -> np.ndarray:
    """Return the RGB pixels of a data URI."""
    data = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def test_a_manifest_of_an_older_version_has_no_findings(make_build: Callable[..., Path]) -> None:
    people = {"train": [{"gender": "female"}] * 3}
    root = make_build(rows={"train": [0, 1, 2]}, people=people)
    path = root / "manifest.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["quality"]), path)
    view = describe_build(Build.open(root), ReportOptions())
    assert view.unusual == ()
    assert [each.known for each in view.attributes] == [3]


def test_images_with_findings_are_shown_with_their_measure(make_build: Callable[..., Path]) -> None:
    root = make_build(rows={"train": [0, 1, 2]}, people={"train": [{}, {}, {}]})
    path = root / "manifest.parquet"
    quality = [["dark:21.4", "small:30"], None, ["dark:9"]]
    Manifest.load(path).with_column("quality", quality).save(path)
    dark, small = describe_build(Build.open(root), ReportOptions()).unusual
    assert {image.sample: image.text for image in dark.images} == {
        "spots/train_0": "21.4", "spots/train_2": "9",
    }  # fmt: skip
    assert (small.finding, len(small.images)) == ("small", 1)


def test_the_split_is_named_where_it_has_a_name(hostile_build: Path) -> None:
    values = json.loads((hostile_build / "build.json").read_text())
    provenance = {"split": {"digest": "split:sha256:0123456789abcdef"}}
    record = record_of(hostile_build, summary=values["summary"] | {"provenance": provenance})
    view = describe_build(Build(hostile_build, record), ReportOptions(faces=False))
    assert view.split_digest == "split:sha256:0123456789abcdef"
