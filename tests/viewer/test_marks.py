"""Marks: of copies and sources, saved, continued, and taken by a build."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

pytest.importorskip("starlette")

from support.pages import HOSTILE
from support.viewer import client_of, shown_of

import ferdata
from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import load_rejects
from ferdata.curation.label_patches import apply_patch, load_patch
from ferdata.viewer import serve
from ferdata.viewer.marks import MarkRequest
from ferdata.viewer.shown import Shown


def mark(shown: Shown, *rows: int, mark: str = "drop", label: str = "") -> None:
    shown.marks.set(MarkRequest(rows=rows, mark=mark, label=label))


def test_a_patch_has_what_was_marked(shown: Shown) -> None:
    other = shown.rows.classes[2]
    mark(shown, 1)
    mark(shown, 4, 6, mark="label", label=other)
    assert shown.marks.save() == shown.marks.path
    patch = load_patch(shown.marks.path)
    assert [(each.sample_id, each.old, each.new) for each in patch.changes] == [
        ("spots/train_0", HOSTILE, other),  # the source of the copy in row 6
        ("spots/train_1", "]]></script>", None),
        ("spots/train_4", "]]></script>", other),
    ]
    assert patch.changes[0].pixels == shown.rows.table["pixel_sha256"][0].as_py()[:12]
    assert patch.source == "ferdata view"


def test_marks_are_removed(shown: Shown) -> None:
    mark(shown, 0, 1, 2)
    mark(shown, 7, mark="none")  # a copy of row 0
    mark(shown, 1, mark="label", label="]]></script>")  # what it is already
    shown.marks.save()
    assert [each.sample_id for each in load_patch(shown.marks.path).changes] == ["spots/train_2"]


def test_marked_rows_are_found_with_their_copies(shown: Shown) -> None:
    mark(shown, 6, 9)
    found = client_of(shown).get("/api/rows", params={"marked": True}).json()["rows"]
    assert [(each["row"], each["mark"]) for each in found] == [(0, ""), (6, ""), (7, ""), (9, "")]


def test_the_drop_list_has_the_ids_to_leave_out(shown: Shown) -> None:
    mark(shown, 9, 6)
    mark(shown, 3, mark="label", label=shown.rows.classes[1])
    saved = client_of(shown).post("/api/save/drop-list", json={}).json()["saved"]
    assert Path(saved).read_text() == "spots/train_0\nspots/validation_1\n"


def test_a_session_is_continued(shown: Shown, viewed_build: Path) -> None:
    mark(shown, 2)
    shown.marks.save()
    again = shown_of(viewed_build, shown.marks.path)
    assert (len(again.marks), again.marks.unsaved) == (1, False)
    mark(again, 3)
    again.marks.save()
    assert len(load_patch(shown.marks.path).changes) == 2


def test_equal_marks_make_equal_files(shown: Shown, viewed_build: Path, tmp_path: Path) -> None:
    other = shown_of(viewed_build, tmp_path / "other.json")
    for row in (1, 2, 4):
        mark(shown, row)
    mark(other, 4, 2, 1)
    assert shown.marks.save().read_bytes() == other.marks.save().read_bytes()


def test_another_file_is_not_overwritten(viewed_build: Path, tmp_path: Path) -> None:
    (tmp_path / "marks.json").write_text('{"mine": 1}')
    with pytest.raises(OptionError, match=r"--out .*marks.json: is no label patch"):
        shown_of(viewed_build, tmp_path / "marks.json")
    assert (tmp_path / "marks.json").read_text() == '{"mine": 1}'


def test_wrong_marks_are_refused(shown: Shown) -> None:
    with pytest.raises(UnknownNameError, match="unknown class 'joy'"):
        mark(shown, 0, mark="label", label="joy")
    with pytest.raises(OptionError, match="14 rows"):
        mark(shown, 0, 14)
    assert len(shown.marks) == 0


def test_what_is_not_saved_is_saved_at_the_end(
    shown: Shown, caplog: pytest.LogCaptureFixture
) -> None:
    serve._save_rest(shown.marks)
    assert not shown.marks.path.exists()
    mark(shown, 0)
    with caplog.at_level(logging.WARNING):
        serve._save_rest(shown.marks)
    assert str(shown.marks.path) in caplog.text
    assert len(load_patch(shown.marks.path).changes) == 1


def test_a_build_takes_the_patch(demo_rafdb: Path, tmp_path: Path) -> None:
    given = {"data": demo_rafdb, "landmarks": "none", "size": 16, "formats": "hdf5",
             "report": False, "quiet": True}  # fmt: skip
    build = ferdata.build("rafdb", out=tmp_path / "first", **given)
    shown = shown_of(build.root, tmp_path / "marks.json")
    wrong, bad = (shown.rows.table["sample_id"][row].as_py() for row in (0, 1))
    new = next(each for each in shown.rows.classes if each != shown.rows.table["label"][0].as_py())
    client = client_of(shown)
    assert client.post("/api/marks", json={"rows": [1], "mark": "drop"}).status_code == 200
    client.post("/api/marks", json={"rows": [0], "mark": "label", "label": new})
    client.post("/api/save/patch", json={})
    out = tmp_path / "second"
    ferdata.build("rafdb", out=out, labels=str(tmp_path / "marks.json"), **given)
    rows = Manifest.load(out / "manifest.parquet")
    labels = dict(zip(rows.column("sample_id"), rows.column("label"), strict=True))
    assert (labels[wrong], bad in labels) == (new, False)
    rejects = load_rejects(out / "rejects.parquet")
    (dropped,) = [each for each in rejects if each.sample_id == bad]
    assert dropped.reason == "label patch: marked by eye"
    again = shown_of(out, tmp_path / "marks.json")
    assert any("corrected by marks.json" in each for each in again.about()["notes"])
    mark(again, again.rows.find(wrong))
    again.marks.save()
    done = apply_patch(Manifest.load(build.root / "manifest.parquet"), again.marks.path)
    assert len(done) == len(shown.rows) - 2
