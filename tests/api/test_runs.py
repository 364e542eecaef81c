"""The front door: training, and what runs are good for afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support.runs import copy_run, read_csv

import ferdata
from ferdata.core.errors import (
    BuildError,
    FerdataError,
    OptionError,
    RunError,
    UnknownNameError,
)
from ferdata.models.device import torch_device
from ferdata.runs.record import RunRecord
from ferdata.synth import draw_face
from ferdata.training.epoch_log import CLOCK

BUILD = {"landmarks": "none", "size": 32, "quiet": True, "executor": "serial"}
FAST: Mapping[str, Any] = {"model": "test_resnet", "epochs": 1, "device": "cpu", "quiet": True}
CROPS: Mapping[str, Any] = {"crops": True, "landmarks": "none", "device": "cpu"}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, demo_rafdb: Path) -> ferdata.Build:
    """Return a build of a small synthetic RAF-DB; never write into it."""
    out = tmp_path_factory.mktemp("builds") / "rafdb"
    return ferdata.build("rafdb", demo_rafdb, out, **BUILD)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, build: ferdata.Build) -> ferdata.Run:
    """Return a trained run; only evaluations are written into it."""
    torch.set_num_threads(1)  # sums of floating-point numbers depend on how many there are
    out = str(tmp_path_factory.mktemp("runs") / "mine")
    return ferdata.train(build, out=out, **FAST)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """Return a face crop, uint8 RGB, shape (64, 64, 3)."""
    return draw_face("happiness", np.random.default_rng(1), (64, 64)).pixels


def without_clock(run: ferdata.Run) -> list[dict[str, float]]:
    """Return a run's metrics without the columns that differ between equal runs."""
    rows = read_csv(run.metrics_file)
    return [{name: value for name, value in row.items() if name not in CLOCK} for row in rows]


# -- training ------------------------------------------------------------------------------


def test_a_run_is_what_its_record_says(run: ferdata.Run, build: ferdata.Build) -> None:
    assert run.record.build.plan_sha256 == build.plan_sha256
    assert run.record.options.model == "test_resnet"
    assert [row["epoch"] for row in run.history] == [1]
    assert run.own_build().root == build.root


@pytest.mark.parametrize("kind", [str, Path])
def test_train_takes_a_path_of_either_type_and_the_model_in_second_place(
    run: ferdata.Run, build: ferdata.Build, tmp_path: Path, kind: type
) -> None:
    options = {name: each for name, each in FAST.items() if name != "model"}
    again = ferdata.train(kind(build.root), "test_resnet", out=kind(tmp_path / "run"), **options)
    assert without_clock(again) == without_clock(run)


def test_a_home_folder_is_expanded(
    run: ferdata.Run, monkeypatch: pytest.MonkeyPatch, face: np.ndarray
) -> None:
    monkeypatch.setenv("HOME", str(run.path.parent))
    monkeypatch.setenv("USERPROFILE", str(run.path.parent))
    Image.fromarray(face).save(run.path.parent / "face.png")
    assert ferdata.open("~/mine").record == run.record
    assert ferdata.predict("~/mine", "~/face.png", **CROPS)[0].label in run.record.spec.labels


def test_the_config_of_a_run_repeats_it(run: ferdata.Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ferdata", "train", "--config", run.path / "config.yaml"]
    done = subprocess.run(
        [*map(str, command), "--out", str(tmp_path / "b"), "--quiet"],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = ferdata.open(tmp_path / "b")
    assert again.record.options == run.record.options
    assert without_clock(again) == without_clock(run)


def test_a_call_goes_over_the_file_over_the_recipe_over_the_defaults(
    build: ferdata.Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ferdata.training.run_training", lambda *given, **_: given[2])
    from ferdata.api.train_request import run_train

    def resolved(text: str = "", **options: Any) -> Any:
        config = tmp_path / "options.yaml"
        config.write_text(text)
        return run_train(build, options, out=tmp_path / "run", config=config)

    default = resolved()
    recipe = resolved(recipe="lmfer")
    file = resolved("recipe: lmfer\nepochs: 7\nmodel_options: {window: 3}\n")
    call = resolved("recipe: lmfer\nepochs: 7\nmodel_options: {window: 3}\n", epochs=2)
    assert default.epochs == 30
    assert recipe.model == file.model == "lmfer" != default.model
    assert recipe.epochs not in (default.epochs, 7)
    assert (file.epochs, call.epochs) == (7, 2)
    assert file.model_options == {**recipe.model_options, "window": 3}
    assert resolved("model: lmfer\nmodel_options: {window: 3}\n", model="ctan").model_options == {}


def test_a_file_can_name_the_build_and_a_call_another_one(
    run: ferdata.Run, build: ferdata.Build, tmp_path: Path
) -> None:
    config = tmp_path / "options.yaml"
    config.write_text((run.path / "config.yaml").read_text().replace(str(build.root), "nowhere"))
    with pytest.raises(BuildError, match="nowhere: no such folder"):
        ferdata.train(config=config, out=tmp_path / "run", quiet=True)
    assert ferdata.train(build, config=config, out=tmp_path / "run", quiet=True).history


# -- opening -------------------------------------------------------------------------------


def test_a_run_is_opened_by_its_folder_or_its_record(run: ferdata.Run) -> None:
    for path in (str(run.path), run.path, run.path / "run.json"):
        opened = ferdata.open(path)
        assert isinstance(opened, ferdata.Run)
        assert opened.record == run.record
    assert ferdata.Run(str(run.path)).path == run.path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format": "ferdata-run/9"}', "written by a newer ferdata.*Update: pip install -U"),
        ('{"format": "ferdata-run/0"}', "format ferdata-run/0.*train again with another --out"),
        ('{"format": "ferdata-run/2", "options": {}}', r"damaged \(build.*train again"),
        ('{"format": "ferdata-run/', "run.json.*train again with another --out"),
        ("[]", "not written by ferdata; train again"),
        (None, "not a training run.*pass the --out of `ferdata train`"),
    ],
)
def test_a_record_that_cant_be_used_says_what_to_do(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=message):
        ferdata.Run(tmp_path)
    with pytest.raises(RunError, match=message):
        ferdata.predict(tmp_path, "face.png")


def test_a_run_of_the_first_version_is_upgraded(run: ferdata.Run, tmp_path: Path) -> None:
    old = json.loads((run.path / "run.json").read_text())
    old["format"] = "ferdata-run/1"
    old["facts"] = old.pop("spec")
    old["options"]["centre_loss"] = old["options"].pop("center_loss")
    old["build"]["options"]["sound"] = old["build"]["options"].pop("leak_free")
    old["build"]["machine"] = "gone since"
    (tmp_path / "run.json").write_text(json.dumps(old))
    assert RunRecord.open(tmp_path) == run.record


def test_an_unfinished_run_says_so_and_is_skipped_in_comparisons(
    run: ferdata.Run, tmp_path: Path
) -> None:
    unfinished = ferdata.open(copy_run(run.path, tmp_path / "half", results=None))
    assert "not finished" in repr(unfinished)
    assert "not finished" in unfinished._repr_html_()
    assert unfinished.history == ()
    compared = ferdata.compare([run, unfinished], latency=False, device="cpu", quiet=True)
    assert [each.name for each in compared.runs] == ["mine"]
    assert "--resume" in compared.skipped["half"]


# -- evaluating ----------------------------------------------------------------------------


def test_scores_are_the_same_by_every_way(run: ferdata.Run, build: ferdata.Build) -> None:
    report = run.evaluate(build, split="test", device="cpu", quiet=True)
    assert report.scores.n == build.split("test").rows
    assert 0 <= report.accuracy <= 1
    for other in (
        ferdata.evaluate(str(run.path), device="cpu", quiet=True),
        ferdata.evaluate(run, str(build.root), "test", checkpoint="best", device="cpu", quiet=True),
    ):
        assert other == report


def test_a_build_that_is_not_the_runs_own_is_not_taken_for_it(
    run: ferdata.Run, build: ferdata.Build, tmp_path: Path
) -> None:
    record = json.loads((run.path / "run.json").read_text())["build"]
    moved = copy_run(run.path, tmp_path / "a", build={**record, "path": "moved"})
    with pytest.raises(BuildError, match="trained on moved, which does not exist; name the build"):
        ferdata.evaluate(moved)
    other = copy_run(run.path, tmp_path / "b", build={**record, "plan_sha256": "b" * 64})
    with pytest.raises(BuildError, match="may contain train images of the run"):
        ferdata.evaluate(other)
    assert ferdata.evaluate(other, build, device="cpu", quiet=True).scores.n


def test_the_trained_model_is_a_torch_module(run: ferdata.Run, build: ferdata.Build) -> None:
    batch = next(iter(build.loader("test", batch_size=4)))
    logits = run.load_model()(batch["image"])
    assert logits.shape == (4, 7)
    assert not run.load_model("last").training


# -- predicting and exporting --------------------------------------------------------------


def test_an_image_may_be_a_path_an_array_or_a_pil_image(
    run: ferdata.Run, face: np.ndarray, tmp_path: Path
) -> None:
    path, image = tmp_path / "face.png", Image.fromarray(face)
    image.save(path)
    found = run.predict([str(path), face, image], **CROPS)
    assert len({each.label for each in found}) == 1
    assert len({round(each.probability, 6) for each in found}) == 1
    for single in (str(path), path, face, image, tmp_path):
        assert [each.label for each in run.predict(single, **CROPS)] == [found[0].label]
    gray = np.asarray(image.convert("L"))
    assert [each.problem for each in run.predict([gray, image.convert("L")], **CROPS)] == [None] * 2


def test_predictions_show_themselves(run: ferdata.Run, face: np.ndarray, tmp_path: Path) -> None:
    name = "<b>&.png" if sys.platform != "win32" else "a&b.png"
    Image.fromarray(face).save(tmp_path / name)
    found = run.predict(tmp_path, **CROPS)
    assert name in repr(found)
    assert "&amp;" in found._repr_html_()
    assert "<b>" not in found._repr_html_()
    with pytest.raises(AttributeError, match=r"take one of them, such as \[0\]\.label"):
        found.label  # noqa: B018


def test_export_writes_a_file_that_runs_without_torch(run: ferdata.Run, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    report = run.export("onnx", out=str(tmp_path / "model.onnx"))
    assert Path(report.file) == tmp_path / "model.onnx"
    assert report.largest_difference <= report.tolerance


# -- showing -------------------------------------------------------------------------------


def test_a_run_shows_its_curves_and_escapes_names(run: ferdata.Run, tmp_path: Path) -> None:
    assert repr(run).startswith("Run('test_resnet' on 'rafdb', 1 epoch, ")
    assert "data:image/png;base64," in run._repr_html_()
    record = json.loads((run.path / "run.json").read_text())
    named = copy_run(
        run.path, tmp_path / "a",
        build={**record["build"], "name": "<script>"},
        options={**record["options"], "model": "<i>'"},
    )  # fmt: skip
    html = ferdata.Run(named)._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<i>" not in html


def test_scores_show_themselves_as_tables(run: ferdata.Run) -> None:
    report = run.evaluate(device="cpu", quiet=True)
    assert "test split" in repr(report)
    assert "<td style='text-align:left'>happiness</td>" in report._repr_html_()
    leaking = report.model_copy(update={"build": "<script>", "leaks": ["<b>"]})
    assert "<script>" not in leaking._repr_html_()
    assert "&lt;b&gt;" in leaking._repr_html_()
    compared = ferdata.compare(run, latency=False, device="cpu", quiet=True)
    assert "macro means over classes" in repr(compared)
    assert "<td style='text-align:left'>mine</td>" in compared._repr_html_()
    skipped = compared.model_copy(update={"skipped": {"x": "<b>"}, "notes": ["<i>"]})
    assert "<b>" not in skipped._repr_html_().replace("<p><b>&lt;", "")
    assert "<i>" not in skipped._repr_html_()


# -- wrong calls ---------------------------------------------------------------------------

WRONG_CALLS = {
    "ferdata.train('nope')": "BuildError: nope: no such folder",
    "ferdata.train()": "OptionError: name the build",
    "ferdata.train(3)": "OptionError: build: expected a path as str or Path, got int",
    "ferdata.train(BUILD, epoch=3)": "OptionError: unknown training option epoch; did you mean ep",
    "ferdata.train(BUILD, learning_rate=1)": "OptionError: unknown training option learning_rate; "
    "it is called lr",
    "ferdata.train(BUILD, lr='fast')": "OptionError: lr fast: expected a number",
    "ferdata.train(BUILD, optimizer='SGD')": "OptionError: optimizer SGD: expected one of adamw, "
    "adam, sgd; did you mean sgd?",
    "ferdata.train(BUILD, device='cuda')": "OptionError: device cuda: expected one of auto, cpu, "
    "gpu; did you mean gpu?",
    "ferdata.train(BUILD, 'resnet81')": "UnknownNameError: unknown model 'resnet81'",
    "ferdata.train(BUILD, recipe='lmfr')": "Did you mean 'lmfer'?",
    "ferdata.train(BUILD, config='no.yaml')": "OptionError: --config no.yaml: can't be read",
    "ferdata.train(BUILD, out=RUN)": "RunError: ",
    "ferdata.evaluate(RUN, split='val')": "UnknownNameError: unknown split of BUILD 'val'; "
    "expected one of test, train, validation. Did you mean 'validation'?",
    "ferdata.evaluate(RUN, 'test')": "OptionError: test is a split, not a build; "
    "write split='test'",
    "ferdata.evaluate(RUN, device='cuda')": "OptionError: device cuda: ",
    "ferdata.evaluate(RUN, checkpoint='first')": "OptionError: checkpoint first: ",
    "ferdata.evaluate('nope')": "RunError: nope: no such folder",
    "ferdata.evaluate(BUILD, RUN)": "RunError: BUILD: not a training run",
    "ferdata.predict(RUN, 'no.jpg')": "OptionError: no.jpg: no such file or folder",
    "ferdata.predict(RUN, [])": "OptionError: no image given",
    "ferdata.predict(RUN, 3)": "OptionError: image 1 is of type int; expected a path",
    "ferdata.predict(RUN, ferdata.open(BUILD))": "OptionError: BUILD is a build; write ferdata.ev",
    "ferdata.predict(RUN, 'a.jpg', crop=True)": "OptionError: unknown prediction option crop; did "
    "you mean crops?",
    "ferdata.export(RUN, 'torchscript')": "OptionError: to torchscript: expected one of onnx",
    "ferdata.compare(RUN, repeats=0)": "OptionError: repeats 0: must be at least 1",
    "ferdata.compare(RUN, device='cuda')": "OptionError: device cuda: ",
    "ferdata.compare(RUN, build='nope')": "BuildError: nope: no such folder",
    "ferdata.open(BUILD)['val']": "Did you mean 'validation'?",
}
"""Calls, and how their error begins or what it holds."""


def test_wrong_calls_are_refused_before_torch_is_loaded(
    run: ferdata.Run, build: ferdata.Build, tmp_path: Path
) -> None:
    code = (
        "import json, sys, ferdata\n"
        "BUILD, RUN, said = sys.argv[1], sys.argv[2], {}\n"
        "for call in json.loads(sys.argv[3]):\n"
        "    try:\n"
        "        eval(call)\n"
        "        said[call] = 'nothing'\n"
        "    except ferdata.FerdataError as error:\n"
        "        said[call] = f'{type(error).__name__}: {error}'\n"
        "    if 'torch' in sys.modules:\n"
        "        said[call] += ' (and torch was loaded)'\n"
        "print(json.dumps(said))\n"
    )
    calls = json.dumps(list(WRONG_CALLS))
    done = subprocess.run(
        [sys.executable, "-c", code, str(build.root), str(run.path), calls],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    wrong = {
        call: said[call]
        for call, expected in WRONG_CALLS.items()
        if expected.replace("BUILD", str(build.root)) not in said[call]
        or any(word in said[call] for word in ("torch was loaded", "validation error", "input_"))
    }
    assert wrong == {}


def test_floats_are_not_taken_for_pixels(run: ferdata.Run, face: np.ndarray) -> None:
    with pytest.raises(OptionError, match=r"expected uint8, 0–255.*\(255 \* image\)"):
        run.predict(face / 255, **CROPS)
    with pytest.raises(OptionError, match="Give several images as a list"):
        run.predict(np.stack([face, face]), **CROPS)


def test_a_gpu_that_is_not_there_is_missed(run: ferdata.Run, face: np.ndarray) -> None:
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(FerdataError, match="sees no GPU; use --device cpu"):
        run.evaluate(device="gpu")
    with pytest.raises(UnknownNameError, match="unknown device 'cuda'"):
        torch_device("cuda")


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        ("accuracy", r"run\.evaluate\(\)\.accuracy"),
        ("model", r"run\.load_model\(\)"),
        ("options", r"run\.record\.options"),
        ("root", r"run\.path"),
        ("pth", "no attribute 'pth'"),
    ],
)
def test_a_guess_is_answered(run: ferdata.Run, guess: str, answer: str) -> None:
    with pytest.raises(AttributeError, match=answer):
        getattr(run, guess)


def test_every_answer_to_a_guess_runs(run: ferdata.Run, build: ferdata.Build) -> None:
    names = {"ferdata": ferdata, "run": run, "build": build}
    for kind in (ferdata.Run, ferdata.Build):
        for guess, answer in kind.guesses.items():
            assert not hasattr(kind, guess)
            if "ferdata.train(" not in answer:
                eval(answer, dict(names))  # noqa: S307 - our own text
