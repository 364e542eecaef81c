"""Uploads to the Hub, with an API that only notes what it is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.builds import write_build
from support.runs import make_classifier, run_build, write_run

from ferdata.core.errors import BuildError, FerdataError, OptionError, TermsError
from ferdata.core.files import read_json, write_json
from ferdata.deployment.hub import Upload, dataset_upload, model_upload, push
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord
from ferdata.shards.dummies import write_dummy_build
from ferdata.shards.record import BuildRecord


class Api:
    """Notes the calls of `HfApi`; fails with an error if it is given one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.error = error

    def create_repo(self, repo: str, **options: Any) -> str:
        self.calls.append(("create_repo", repo, options))
        return f"hub/{repo}"

    def create_commit(self, repo: str, operations: list[Any], **options: Any) -> None:
        if self.error is not None:
            raise self.error
        self.calls.append(("create_commit", repo, (operations, options)))


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Return a build that says that its faces are drawn."""
    out = write_dummy_build(tmp_path / "build")
    values = read_json(out / "build.json")
    values["summary"]["provenance"]["ingest"] = {"synthetic_scale": 0.1}
    values["datasets"] = {"rafdb": "RAF-DB"}
    write_json(out / "build.json", values)
    return out


def test_only_the_hugging_face_dataset_is_uploaded(drawn: Path) -> None:
    upload = dataset_upload(drawn, BuildRecord.open(drawn))
    assert upload.kind == "dataset"
    assert sorted(upload.files) == [
        "data/test-00000-of-00001.parquet",
        "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet",
        "data/validation-00000-of-00001.parquet",
    ]
    assert all(isinstance(path, Path) and path.is_file() for path in upload.files.values())


def test_a_damaged_build_stays_here(drawn: Path) -> None:
    shard = next((drawn / "hf/data").glob("test-*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(BuildError, match=f"damaged: hf/data/{shard.name}"):
        dataset_upload(drawn, BuildRecord.open(drawn))


def test_real_images_stay_here(drawn: Path) -> None:
    record = BuildRecord.open(drawn)
    summary = record.summary.model_copy(update={"provenance": {}})
    real = record.model_copy(update={"summary": summary, "datasets": {"kdef": "KDEF"}})
    with pytest.raises(TermsError, match=r"kdef forbids it: .*no redistribution"):
        dataset_upload(drawn, real)


def test_a_model_goes_without_paths_of_this_machine(tmp_path: Path) -> None:
    build = write_build(tmp_path / "build")
    trained = run_build().model_copy(update={"path": str(build), "name": "spots"})
    folder = RunFolder(write_run(tmp_path / "run", make_classifier(), trained))
    folder.card_file.write_text("card")
    upload = model_upload(folder)
    assert upload.kind == "model"
    assert sorted(upload.files) == ["README.md", "checkpoints/best.ckpt", "run.json"]
    content = upload.files["run.json"]
    assert isinstance(content, bytes)
    assert str(tmp_path) not in content.decode()
    record = RunRecord.of(json.loads(content), Path("run.json"))
    assert record.build.path == "spots"
    assert record.build.plan_sha256 == folder.read().build.plan_sha256


def test_a_model_whose_build_is_gone_stays_here(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="does not exist"):
        model_upload(RunFolder(write_run(tmp_path / "run")))


@pytest.mark.parametrize("public", [True, False])
def test_one_commit_to_a_private_repository_unless_asked_otherwise(
    tmp_path: Path, public: bool
) -> None:
    (tmp_path / "a").write_text("one")
    api = Api()
    upload = Upload("dataset", {"data/a": tmp_path / "a", "b": b"two"})
    assert push(upload, "me/mine", public=public, api=api) == "hub/me/mine"
    (_, repo, made), (_, to, (operations, options)) = api.calls
    assert repo == to == "me/mine"
    assert made == {"repo_type": "dataset", "private": not public, "exist_ok": True}
    assert options["repo_type"] == "dataset"
    assert [each.path_in_repo for each in operations] == ["b", "data/a"]


@pytest.mark.parametrize("repo", ["a/b/c", "white space", "", "-a/b"])
def test_a_name_that_is_none_is_refused_first(repo: str) -> None:
    api = Api()
    with pytest.raises(OptionError, match="USER/NAME"):
        push(Upload("model", {}), repo, api=api)
    assert api.calls == []


def test_what_the_hub_says_is_told_with_what_to_do() -> None:
    for error in (ConnectionError("offline\nmore"), PermissionError("no right")):
        with pytest.raises(FerdataError, match="hf auth login") as found:
            push(Upload("model", {"a": b"1"}), "me/mine", api=Api(error))
        assert "more" not in str(found.value)


def test_without_a_network_it_says_so() -> None:
    with pytest.raises(FerdataError, match="can't be reached or refuses"):
        push(Upload("model", {"a": b"1"}), "me/mine")  # HF_HUB_OFFLINE is set for all tests
