"""What can be looked at: a build, a run with predictions, an audit of a build or of a folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("starlette")

from support.audits import audit_of, finding
from support.builds import write_build
from support.evaluated import write_evaluated_run
from support.viewer import client_of, shown_of, write_viewed_build

import ferdata
from ferdata.core.errors import BuildError, LayoutError, MissingExtraError, OptionError
from ferdata.formats.encoding import encode


@pytest.fixture
def run(viewed_build: Path, tmp_path: Path) -> Path:
    return write_evaluated_run(tmp_path / "run", viewed_build)


def test_a_run_shows_its_predictions(run: Path, tmp_path: Path) -> None:
    shown = shown_of(run, tmp_path / "marks.json")
    client = client_of(shown)

    def found(**query: str) -> list[tuple[str, float | None]]:
        rows = client.get("/api/rows", params=query).json()["rows"]
        return [(each["id"], each["confidence"]) for each in rows]

    first, second, third = (("spots/test_0", 0.8), ("spots/test_1", 0.7), ("spots/test_2", 0.6))
    assert found(outcome="wrong") == [second]
    assert found(outcome="right") == [first, third]
    assert found(predicted=shown.rows.classes[0]) == [first, second]
    assert found(least="0.65", most="0.75") == [second]
    assert found(sort="confidence", count="4") == [third, second, first, ("spots/train_0", None)]
    assert found(sort="confidence", descending="true", count="3") == [first, second, third]
    assert "best checkpoint on: test" in shown.about()["notes"][0]


def test_a_run_without_its_build_says_so(tmp_path: Path) -> None:
    build = write_viewed_build(tmp_path / "build")
    run = write_evaluated_run(tmp_path / "run", build)
    build.rename(tmp_path / "elsewhere")
    with pytest.raises(BuildError, match="which does not exist"):
        shown_of(run, tmp_path / "marks.json")


def test_an_audit_of_a_build_marks_its_examples(viewed_build: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(audit_of(viewed_build)))
    shown = shown_of(path, tmp_path / "marks.json")
    name = "audit: leak-copy, train/test"
    assert len(shown.rows) == 14
    rows = client_of(shown).get("/api/rows", params={"finding": name}).json()["rows"]
    assert [each["id"] for each in rows] == ["spots/train_0", "spots/test_0"]
    findings = shown.about()["findings"]
    assert [(each["severity"], each["name"]) for each in findings] == [
        ("error", name), ("warning", ""), ("note", ""),
    ]  # fmt: skip


@pytest.fixture
def folder_audit(tmp_path: Path) -> Path:
    """Return an audit of a folder with one image, whose examples also name other files."""
    import numpy as np

    for place in ("data/a/1.png", "secret.png"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(encode(np.full((32, 32, 3), 90, np.uint8), "png"))
    uris = ["a/1.png", "../secret.png", str(tmp_path / "secret.png"), "a/gone.png"]
    example = {
        "samples": [f"x/{k}" for k in range(4)], "uris": uris,
        "splits": ["train"] * 4, "labels": ["fear"] * 4, "text": "",
    }  # fmt: skip
    audit = audit_of(tmp_path / "data")
    audit["findings"] = [finding("leak-copy", "error", examples=[example])]
    audit["audited"] |= {"kind": "set"}
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(audit))
    return path


def test_an_audit_of_a_folder_shows_its_examples(folder_audit: Path, tmp_path: Path) -> None:
    client = client_of(shown_of(folder_audit, tmp_path / "marks.json"))
    rows = client.get("/api/rows").json()["rows"]
    assert [(each["id"], each["label"], each["split"]) for each in rows] == [
        (f"x/{k}", "fear", "train") for k in range(4)
    ]
    assert client.get("/image/0").content.startswith(b"\x89PNG")
    for row in (1, 2, 3):  # outside of the folder, or gone
        assert client.get(f"/image/{row}").status_code == 400


def test_what_is_none_of_these_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="neither a build, a training run nor an audit"):
        shown_of(tmp_path, tmp_path / "marks.json")
    with pytest.raises(LayoutError, match="no such file or folder"):
        shown_of(tmp_path / "none", tmp_path / "marks.json")


def test_a_build_without_a_manifest_is_refused(tmp_path: Path) -> None:
    build = write_build(tmp_path / "build", {"test": [0, 1, 2]})
    with pytest.raises(BuildError, match=r"manifest.parquet is missing"):
        shown_of(build, tmp_path / "marks.json")


def test_a_missing_server_names_its_extra(
    viewed_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.startswith("ferdata.viewer.")]:
        if name != "ferdata.viewer.options":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    for name in [each for each in sys.modules if each.startswith("starlette.")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ferdata\[view\]'"):
        ferdata.view(viewed_build)


def test_wrong_options_are_named(viewed_build: Path) -> None:
    with pytest.raises(OptionError, match="port 99999: must be at most 65535"):
        ferdata.view(viewed_build, port=99999)
    with pytest.raises(OptionError, match="unknown view option prot; did you mean port"):
        ferdata.view(viewed_build, prot=1)
