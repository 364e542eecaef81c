"""The front door and the command: cards of builds and runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

import ferdata
from ferdata.cli.app import app
from ferdata.core.errors import LayoutError, OptionError, TermsError
from ferdata.core.files import read_json, write_json

BUILD = {"landmarks": "none", "size": 32, "quiet": True, "executor": "serial"}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, demo_rafdb: Path) -> ferdata.Build:
    out = tmp_path_factory.mktemp("cards") / "rafdb"
    return ferdata.build("rafdb", demo_rafdb, out, **BUILD)


@pytest.fixture(scope="module")
def run(build: ferdata.Build) -> ferdata.Run:
    torch.set_num_threads(1)
    out = str(build.root.parent / "run")
    return ferdata.train(build, model="test_resnet", epochs=1, device="cpu", quiet=True, out=out)


class Hub:
    """Stands for `huggingface_hub.HfApi`, and notes the paths it is given."""

    uploaded: list[str]
    made: dict[str, Any]

    def __init__(self, **_: Any) -> None: ...

    def create_repo(self, repo: str, **options: Any) -> str:
        type(self).made = options
        return f"hub/{repo}"

    def create_commit(self, _: str, operations: list[Any], **options: Any) -> None:
        type(self).uploaded = [each.path_in_repo for each in operations]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> type[Hub]:
    import huggingface_hub

    Hub.uploaded = []
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    return Hub


def test_the_card_of_a_build(build: ferdata.Build) -> None:
    report = ferdata.card(build)
    assert report.kind == "dataset"
    assert report.files == (build.root / "hf/README.md", build.root / "croissant.json")
    assert report.pushed == ""
    assert ferdata.verify(build.root).ok


def test_the_card_of_a_run(run: ferdata.Run, build: ferdata.Build) -> None:
    report = ferdata.card(str(run.path))
    assert report.kind == "model"
    assert report.files == (run.path / "README.md",)
    text = report.files[0].read_text()
    assert build.record.split_digest.startswith("split:sha256:")
    assert text.count(build.record.split_digest) >= 2  # of the training data and of the scores
    assert "By gender: " in text
    assert "**Synthetic:**" in text
    assert "RAF-DB" in text
    assert "tuning on test is a common mistake" in text


def test_drawn_faces_and_models_are_pushed(
    build: ferdata.Build, run: ferdata.Run, hub: type[Hub]
) -> None:
    assert ferdata.card(build, push="me/drawn").pushed == "hub/me/drawn"
    assert "README.md" in hub.uploaded
    assert all(name == "README.md" or name.endswith(".parquet") for name in hub.uploaded)
    hub.uploaded = []
    assert build.push_to_hub("me/drawn") == "hub/me/drawn"
    assert "README.md" in hub.uploaded
    assert hub.made == {"repo_type": "dataset", "private": True, "exist_ok": True}
    build.push_to_hub("me/drawn", private=False)
    assert hub.made["private"] is False
    assert ferdata.card(run, push="me/model").pushed == "hub/me/model"
    assert hub.uploaded == ["README.md", "checkpoints/best.ckpt", "run.json"]


def test_real_images_are_not_pushed(build: ferdata.Build, tmp_path: Path, hub: type[Hub]) -> None:
    real = Path(shutil.copytree(build.root, tmp_path / "real"))
    values = read_json(real / "build.json")
    del values["summary"]["provenance"]["ingest"]["synthetic_scale"]
    write_json(real / "build.json", values)
    with pytest.raises(TermsError, match=r"rafdb forbids it: .*no redistribution"):
        ferdata.card(real, push="me/real")
    with pytest.raises(TermsError, match=r"rafdb forbids it: .*no redistribution"):
        ferdata.open(real).push_to_hub("me/real")
    done = CliRunner().invoke(app, ["card", str(real), "--push", "me/real"])
    assert isinstance(done.exception, TermsError)
    assert hub.uploaded == []


def test_what_has_no_card_is_refused(build: ferdata.Build, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is a manifest"):
        ferdata.card(build.root / "manifest.parquet")
    with pytest.raises(LayoutError, match="neither a build nor a training run"):
        ferdata.card(tmp_path)
    with pytest.raises(OptionError, match="public"):
        ferdata.card(build, public=True)
    with pytest.raises(OptionError, match="USER/NAME"):
        ferdata.card(build, push="a/b/c")
    with pytest.raises(OptionError, match="USER/NAME"):
        build.push_to_hub("a/b/c")


def test_the_command_prints_what_it_wrote(build: ferdata.Build) -> None:
    done = CliRunner().invoke(app, ["card", str(build.root)])
    assert done.exit_code == 0
    written = [str(build.root / "hf/README.md"), str(build.root / "croissant.json")]
    assert done.stdout.split() == written
    done = CliRunner().invoke(app, ["card", str(build.root), "--json"])
    assert json.loads(done.stdout) == {"kind": "dataset", "files": written, "pushed": ""}
