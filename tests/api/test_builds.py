"""The front door: building, opening, reading and checking builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import ferdata
from ferdata.api.build_request import BuildRequest
from ferdata.cli.app import app
from ferdata.core.errors import (
    BuildError,
    LayoutError,
    OptionError,
    UnknownNameError,
)
from ferdata.shards.pipeline import resolve_options
from ferdata.shards.sources import find_source

OPTIONS = {"landmarks": "none", "size": 32, "quiet": True, "executor": "serial"}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, demo_rafdb: Path) -> ferdata.Build:
    """Return a build of a small synthetic RAF-DB; never write into it."""
    out = tmp_path_factory.mktemp("api") / "rafdb"
    return ferdata.build("rafdb", data=str(demo_rafdb), out=str(out), augment="balance", **OPTIONS)


def test_a_build_is_what_its_record_says(build: ferdata.Build) -> None:
    frame = build.manifest.to_pandas()
    assert len(frame) == build.record.rows == sum(split.rows for split in build.splits.values())
    assert build.record.options.size == 32
    assert "train augmented" in build.summary()
    assert build.verify().ok
    assert ferdata.verify(build.root).ok
    assert build.rejects == ()


def test_a_build_is_read_by_torch_and_hugging_face(build: ferdata.Build) -> None:
    train = build.dataset("train")
    assert len(train) == build.split("train").rows
    batch = next(iter(build.loader("train", batch_size=8)))
    assert batch["image"].shape == (8, 32, 32, 3)
    assert build.to_hf()["test"].num_rows == build.split("test").rows
    assert build.datamodule(batch_size=8).train_dataloader().batch_size == 8


def test_open_finds_out_what_a_folder_is(build: ferdata.Build, tmp_path: Path) -> None:
    assert ferdata.open(str(build.root)).record == build.record
    assert len(ferdata.open(build.root / "manifest.parquet")) == build.record.rows
    with pytest.raises(LayoutError, match="neither a build nor a training run"):
        ferdata.open(tmp_path)
    with pytest.raises(LayoutError, match="no such folder"):
        ferdata.open(tmp_path / "nowhere")
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(BuildError, match="not finished"):
        ferdata.open(tmp_path)


def test_a_notebook_shows_counts_and_images(build: ferdata.Build) -> None:
    assert repr(build).startswith("Build('rafdb', train: ")
    html = build._repr_html_()
    assert "<td style='text-align:left'>happiness</td>" in html
    assert html.count("data:image/png;base64,") == 7
    assert repr(build.manifest).startswith(f"Manifest({build.record.rows} rows, 7 classes")
    assert repr(build.verify()).startswith("OK: ")


def test_names_from_a_dataset_cant_speak_html(build: ferdata.Build) -> None:
    changes = {"datasets": {"x": "<script>"}, "leaks": ("<b>",), "notes": ("<i>",)}
    record = build.record.model_copy(update=changes)
    html = ferdata.Build(build.root, record)._repr_html_()
    assert "<script>" not in html
    assert "leaks: &lt;b&gt;" in html
    assert "&lt;i&gt;" in html


def test_the_config_repeats_a_build(build: ferdata.Build, demo_rafdb: Path, tmp_path: Path) -> None:
    config = build.root / "config.yaml"
    again = ferdata.build(config=config, data=demo_rafdb, out=tmp_path / "a", quiet=True)
    assert again.record == build.record
    other = ferdata.build(config=config, data=demo_rafdb, out=tmp_path / "b", quiet=True, size=24)
    assert other.image.shape == (24, 24, 3)


def test_the_config_of_a_demo_repeats_it_on_the_command_line(tmp_path: Path) -> None:
    first = ferdata.build("jaffe", demo=True, demo_scale=0.1, out=tmp_path / "a", **OPTIONS)
    config = first.root / "config.yaml"
    again = CliRunner().invoke(
        app, ["build", "--config", str(config), "--out", str(tmp_path / "b"), "--quiet"]
    )
    assert again.exit_code == 0, again.output
    assert ferdata.open(tmp_path / "b").plan_sha256 == first.plan_sha256
    with pytest.raises(LayoutError, match="nowhere: no such folder"):  # in place of the demo
        ferdata.build(config=config, data="nowhere", out=tmp_path / "c", quiet=True)


def test_a_call_goes_over_the_file_over_the_recipe_over_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "options.yaml"
    config.write_text("name: ckplus\nrecipe: ctan\nsize: 40\ndemo: true\ndemo_scale: 0.3\n")
    nothing = {"name": None, "out": tmp_path / "out", "data": None, "demo": False}

    def request(config: Path | None, *, demo_scale: float | None = None, **options: Any) -> Any:
        arguments = {**nothing, "name": None if config else "ckplus", "demo_scale": demo_scale}
        arguments["demo"] = config is None
        return BuildRequest.read(arguments, options, config, str)

    def size(request: BuildRequest) -> int:
        return resolve_options(find_source(request.name), request.options)[0].size

    default, recipe = request(None), request(None, recipe="ctan")
    file, call = request(config), request(config, size=24, demo_scale=0.05)
    assert size(default) == 112
    assert size(recipe) not in (112, 40)
    assert (size(file), file.demo_scale) == (40, 0.3)
    assert (size(call), call.demo_scale) == (24, 0.05)


def test_a_build_is_a_mapping_of_its_splits(build: ferdata.Build) -> None:
    assert list(build) == ["train", "validation", "test"]
    assert "train" in build
    assert len(build) == 3
    assert len(build["test"]) == build.split("test").rows
    for wrong in ("val", 0):
        with pytest.raises(UnknownNameError, match="expected one of test, train, validation"):
            build[wrong]
    with pytest.raises(OptionError, match="unknown option batch; did you mean batch_size"):
        build.loader("train", batch=8)
    with pytest.raises(OptionError, match="unknown option fraction; expected one of fields"):
        build.dataset("train", fraction=0.5)


def test_a_build_is_opened_by_its_folder_or_its_record(build: ferdata.Build) -> None:
    for path in (str(build.root), build.root / "build.json"):
        assert ferdata.open(path).record == build.record
    assert ferdata.Build(str(build.root)).root == build.root
    with pytest.raises(BuildError, match="nowhere: no such folder"):
        ferdata.Build("nowhere")


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        ("train", r"write build\.dataset\(.train.\)"),
        ("val", r"write build\.dataset\(.validation.\)"),
        ("df", r"write build\.manifest\.to_pandas\(\)"),
        ("classes", r"write build\.label_space\.names"),
        ("sumary", "no attribute 'sumary'"),
    ],
)
def test_a_guess_is_answered(build: ferdata.Build, guess: str, answer: str) -> None:
    with pytest.raises(AttributeError, match=answer):
        getattr(build, guess)


def test_a_recipe_of_the_users_own_is_kept_with_the_build(demo_rafdb: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(yaml.safe_dump(RECIPE))
    first = ferdata.build(
        "rafdb", data=demo_rafdb, out=tmp_path / "a", recipe=str(recipe), **OPTIONS
    )
    recipe.unlink()
    config = first.root / "config.yaml"
    again = ferdata.build(config=config, data=demo_rafdb, out=tmp_path / "b", quiet=True)
    assert again.plan_sha256 == first.plan_sha256
    assert again.record.recipe == first.record.recipe


RECIPE = {
    "name": "mine",
    "title": "A recipe of the tests",
    "summary": "Nothing is published about it.",
    "paper": {
        "title": "None",
        "authors": "Nobody",
        "venue": "Nowhere",
        "year": 2026,
    },
    "build": {"margin": 0.1},
    "train": {"model": "lmfer"},
    "datasets": {"rafdb": {"data": "RAF-DB."}},
}


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("rafddb",), {}, UnknownNameError, "unknown dataset or mix 'rafddb'.*'rafdb'"),
        ((), {}, OptionError, "name the dataset or mix"),
        (("rafdb",), {"out": None}, OptionError, "--out is missing"),
        (("rafdb",), {"data": None}, OptionError, "--data DIR.*--demo"),
        (("rafdb",), {"demo": True}, OptionError, "--data DIR.*--demo"),
        (("rafdb",), {"data": 3}, OptionError, "data: expected a path as str or Path, got int"),
        (("RAF-DB",), {}, UnknownNameError, "Did you mean 'rafdb'"),
        (("CK+",), {}, UnknownNameError, "Did you mean 'ckplus'"),
        ((["rafdb", "kdef"],), {}, OptionError, "expected one dataset or mix as text, got list"),
        (("rafdb",), {"data": None, "path": "x"}, OptionError, "option path; it is called data"),
        (("rafdb",), {"demo_scale": "x"}, OptionError, "demo_scale x: expected a number"),
        (("rafdb",), {"choices": 3}, OptionError, "choices 3: expected a mapping"),
        (("rafdb",), {"sise": 5}, OptionError, "unknown build option sise; did you mean size"),
        (("rafdb",), {"size": 5}, OptionError, "size 5: must be at least 16"),
        (("rafdb",), {"sound": True}, OptionError, "sound; it is called leak_free"),
        (("rafdb",), {"workers": 0}, OptionError, "workers 0: must be at least 1"),
        (("rafdb",), {"poses": "half"}, OptionError, "poses half: rafdb"),
        (("rafdb",), {"recipe": "lmfr"}, UnknownNameError, "Did you mean 'lmfer'"),
        (("rafdb",), {"data": "~/no such folder"}, LayoutError, "no such folder"),
    ],
)
def test_what_is_wrong_is_said(arguments, options, error, message, tmp_path: Path) -> None:
    call = {"data": tmp_path, "out": tmp_path / "out", **options}
    with pytest.raises(error, match=message) as caught:
        ferdata.build(*arguments, **call)
    assert "pydantic" not in str(caught.value)


def test_what_is_wrong_in_a_config_is_said(tmp_path: Path) -> None:
    config = tmp_path / "a.yaml"
    config.write_text("name: rafdb\nsise: 3\n")
    with pytest.raises(OptionError, match="unknown build option sise; did you mean size"):
        ferdata.build(config=config, data=tmp_path, out=tmp_path / "out")
