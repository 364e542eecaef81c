"""What the papers' protocols ask of training, in whole runs on small builds."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from support.builds import write_build
from support.runs import fast_options, history, read_checkpoint

from ferdata.core.errors import BuildError, ManifestError, OptionError, UnknownNameError
from ferdata.data import Build, FerDataModule
from ferdata.models.checkpoint import load_classifier
from ferdata.models.weights import read_weights
from ferdata.runs.folder import RunFolder
from ferdata.runs.options import TrainOptions
from ferdata.training import run_training
from ferdata.training.epoch_log import CLOCK
from ferdata.training.recipe_options import recipe_options, run_options

EVERYTHING = {
    "optimizer": "sgd", "lr": 0.05, "lookahead": True, "lookahead_steps": 3, "ema_decay": 0.9,
    "schedule": "step", "step_epochs": 2, "center_loss": 0.01, "label_smoothing": 0.1,
    "class_weights": "balanced",
    "accumulate": 2, "augment": [{"op": "horizontal_flip"}, {"op": "rotation"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Return build, folder and report of a run of four epochs with all that has a state."""
    root = tmp_path_factory.mktemp("everything")
    build = write_build(root / "build")
    report = run_training(build, root / "run", fast_options(epochs=4, **EVERYTHING), quiet=True)
    return build, root / "run", report


def test_a_killed_run_goes_on_with_its_epoch_rate_average_and_slow_weights(everything, tmp_path):
    build, whole, report = everything
    run = tmp_path / "run"
    settings = [f"--set={key}={json.dumps(value)}" for key, value in EVERYTHING.items()]
    command = [sys.executable, "-c", _DIES, "train", str(build), "--model", "test_resnet",
               "--batch-size", "14", "--device", "cpu", "--epochs", "4", "--out", str(run),
               *settings]  # fmt: skip
    killed = subprocess.run(
        command, check=False, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len((run / "metrics.csv").read_text().splitlines()) == 1 + 2
    resumed = run_training(build, run, resume=True, quiet=True)
    assert history(resumed) == history(report)
    ours, theirs = read_checkpoint(run), read_checkpoint(whole)
    for key in ("state_dict", "current_model_state"):
        assert all(torch.equal(ours[key][name], theirs[key][name]) for name in theirs[key])
    slow = [state["optimizer_states"][0]["slow"] for state in (ours, theirs)]
    assert all(map(torch.equal, *slow))
    assert ours["optimizer_states"][0]["taken"] == theirs["optimizer_states"][0]["taken"] == 12


_DIES = """
import os, signal
from ferdata.training.task import ExpressionTask
from ferdata.cli import main

step = ExpressionTask.training_step

def dying(self, batch, batch_index):
    if self.trainer.current_epoch == 2 and batch_index == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, batch_index)

ExpressionTask.training_step = dying
main()
"""


def test_the_average_is_what_is_kept_and_tested(everything):
    _, run, _ = everything
    kept = read_checkpoint(run)
    name = "classifier.model.fc.weight"
    assert not torch.equal(kept["state_dict"][name], kept["current_model_state"][name])
    classifier = load_classifier(RunFolder(run).checkpoint("last"))
    assert torch.equal(classifier.model.state_dict()["fc.weight"], kept["state_dict"][name])
    weights = read_weights(RunFolder(run).weights("last"))[1]
    assert torch.equal(weights["fc.weight"], kept["state_dict"][name])


def test_the_rate_falls_by_stairs_of_epochs(everything):
    _, _, report = everything
    # three steps of two batches an epoch; the rate stands for the epoch that follows
    assert [row["lr"] for row in report.history] == pytest.approx([0.05, 0.005, 0.005, 0.0005])


def test_centers_move_and_are_kept(everything):
    _, run, report = everything
    assert read_checkpoint(run)["current_model_state"]["center_loss.centers"].abs().sum() > 0
    assert report.history[0]["center_loss"] > 0


def test_early_stopping_ends_a_run_that_stays_ended(make_build, tmp_path):
    rows = {"train": [k % 7 for k in range(28)], "validation": [0, 1, 2], "test": [0, 1]}
    build = make_build(rows=rows)
    wanted = fast_options(epochs=40, early_stopping=2, lr=0.02, optimizer="adam")
    report = run_training(build, tmp_path / "run", wanted, quiet=True)
    assert report.epochs < 40
    losses = [row["validation_loss"] for row in report.history]
    assert min(losses) == losses[-3]
    again = run_training(build, tmp_path / "run", resume=True, quiet=True)
    assert history(again) == history(report)
    # killed after it had stopped, and before it wrote down what it came to
    folder = RunFolder(tmp_path / "run")
    folder.read().model_copy(update={"results": None}).save(folder.path)
    assert history(run_training(build, folder.path, resume=True, quiet=True)) == history(report)


def test_early_stopping_needs_a_validation_split(make_build, tmp_path):
    build = make_build(rows={"train": [0, 1] * 14, "test": [0, 1]})
    with pytest.raises(OptionError, match="no validation split for early stopping"):
        run_training(
            build, tmp_path / "run", fast_options(early_stopping=5, select="last"), quiet=True
        )


def test_the_first_epochs_can_see_a_subset_only(make_build, tmp_path):
    build = make_build()
    wanted = fast_options(epochs=4, subset=0.5, subset_epochs=2)
    report = run_training(build, tmp_path / "run", wanted, quiet=True)
    # 70 images: two batches of 14 of the half, five of the whole
    assert [row["step"] for row in report.history] == [2, 4, 9, 14]
    assert report.history[-1]["lr"] == pytest.approx(wanted.lr * 0.01)


def test_half_of_the_subsets_options_is_refused():
    with pytest.raises(OptionError, match=r"^subset \(0.5\) and subset_epochs \(0\) must be given"):
        TrainOptions.checked({"subset": 0.5})


def test_a_subset_is_the_same_rows_in_every_epoch(make_build):
    module = FerDataModule(make_build(), 7, subset=0.4, subset_epochs=3)
    loaders = [module._train_loader(epoch) for epoch in (0, 2, 3)]
    seen = [{int(i) for batch in loader for i in batch["index"]} for loader in loaders]
    assert seen[0] == seen[1]
    assert (len(seen[0]), len(seen[2])) == (28, 70)


def test_soft_labels_of_the_build_are_what_is_learned(make_build, tmp_path):
    build = make_build()
    run_training(build, tmp_path / "hard", fast_options(epochs=1), quiet=True)
    soft = fast_options(epochs=1, loss="soft_cross_entropy")
    one_hot = run_training(build, tmp_path / "one-hot", soft, quiet=True)
    with h5py.File(build / "hdf5" / "train-00000-of-00001.h5", "r+") as file:
        file["soft_label"][:] = 1 / 7
    even = run_training(build, tmp_path / "even", soft, quiet=True)
    hard = RunFolder(tmp_path / "hard").read().results.history[0]["train_loss"]
    assert one_hot.history[0]["train_loss"] == pytest.approx(hard, rel=1e-5)
    assert even.history[0]["train_loss"] != pytest.approx(hard, rel=1e-3)


def test_landmarks_serve_as_a_prior_and_must_be_there(make_build, tmp_path):
    prior = {"model": "lmfer", "model_options": {"landmark_prior": True}, "epochs": 1}
    with pytest.raises(BuildError, match=r"no train image has any; build with --landmarks"):
        run_training(make_build("bare"), tmp_path / "a", fast_options(**prior), quiet=True)
    build = make_build("pointed", scheme="ibug68", size=64)
    report = run_training(build, tmp_path / "b", fast_options(**prior), quiet=True)
    assert report.evaluation.scores.n == 21
    classifier = load_classifier(RunFolder(tmp_path / "b").checkpoint("last"))
    image = torch.full((1, 64, 64, 3), 90, dtype=torch.uint8)
    points = torch.rand(1, 68, 2) * 63
    assert not torch.equal(classifier(image, points), classifier(image, points * 0.5))
    with h5py.File(build / "hdf5" / "train-00000-of-00001.h5", "r+") as file:
        file["landmarks"][:] = np.nan
    with pytest.raises(BuildError, match="no train image has any"):
        run_training(build, tmp_path / "c", fast_options(**prior), quiet=True)


def test_the_features_of_any_timm_model_can_have_a_center_loss(make_build, tmp_path):
    wanted = fast_options(model="test_byobnet", center_loss=0.1, epochs=1)
    assert (
        run_training(make_build(), tmp_path / "a", wanted, quiet=True).history[0]["center_loss"] > 0
    )


@pytest.mark.skipif(sys.platform == "win32", reason="gloo and subprocesses")
def test_two_processes_train_one_model(make_build, tmp_path):
    # 13 validation rows: one process has one more than the other
    rows = {"train": [k % 7 for k in range(70)], "validation": [*range(7)] * 2, "test": [0, 1, 2]}
    rows["validation"].pop()
    build, run = make_build(rows=rows), tmp_path / "run"
    script = tmp_path / "ferdata"
    script.write_text("from ferdata.cli import main\nmain()\n")
    command = [sys.executable, str(script), "train", str(build), "--model", "test_resnet",
               "--batch-size", "7", "--epochs", "2", "--device", "cpu", "--devices", "2",
               "--json", "--out", str(run)]  # fmt: skip
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)  # printed once, not by each process
    # 70 images over two processes in batches of 7: five steps an epoch
    assert [row["step"] for row in report["history"]] == [5, 10]
    for row in report["history"]:
        right = row["validation_accuracy"] * 13
        assert right == pytest.approx(round(right), abs=1e-4)
    assert report["evaluation"]["scores"]["n"] == 3


def write_recipe(path, **train):
    recipe = {
        "name": "mine", "title": "Mine", "summary": "A test.",
        "paper": {"title": "T", "authors": "A", "year": 2026},
        "train": {"model": "test_resnet", "epochs": 3, "batch_size": 14, "device": "cpu", **train},
        "datasets": {"spots": {"data": "drawn", "train": {"lr": 0.01}}},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(recipe))
    return str(path)


def test_a_recipe_fills_in_what_is_not_given(make_build, tmp_path, caplog):
    build = Build.open(make_build())
    recipe = write_recipe(tmp_path / "mine.yaml", optimizer="sgd")
    chosen = recipe_options(recipe, build, {"epochs": 1})
    assert (chosen.recipe, chosen.optimizer, chosen.lr, chosen.epochs) == ("mine", "sgd", 0.01, 1)
    assert "was not built by the recipe mine" in caplog.text
    other = Build.open(write_build(tmp_path / "other", name="circles"))
    assert recipe_options(recipe, other, {}).lr == TrainOptions().lr
    assert "is for spots" in caplog.text


def test_a_recipe_of_another_model_gives_up_the_models_own_options(make_build, tmp_path):
    build = Build.open(make_build())
    recipe = write_recipe(tmp_path / "mine.yaml", model_options={"drop_rate": 0.5})
    assert recipe_options(recipe, build, {}).model_options == {"drop_rate": 0.5}
    assert recipe_options(recipe, build, {"model": "lmfer"}).model_options == {}


def test_model_options_update_those_of_the_recipe(make_build, tmp_path):
    build = Build.open(make_build())
    recipe = write_recipe(tmp_path / "a.yaml", model_options={"drop_rate": 0.5, "in_chans": 3})
    given = {"model_options": {"drop_rate": 0.1}}
    merged = {"drop_rate": 0.1, "in_chans": 3}
    assert recipe_options(recipe, build, given).model_options == merged
    named = {**given, "model": "test_resnet"}  # the recipe's own
    assert recipe_options(recipe, build, named).model_options == merged
    other = {**given, "model": "lmfer"}
    assert recipe_options(recipe, build, other).model_options == {"drop_rate": 0.1}
    with pytest.raises(OptionError, match="model_options"):
        recipe_options(recipe, build, {"model_options": 3})


def test_the_same_command_starts_and_resumes_a_recipe(make_build, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build = Build.open(make_build())
    recipe = write_recipe(tmp_path / "a.yaml", epochs=1, model_options={"drop_rate": 0.5})
    given = {"model_options": {"drop_path_rate": 0.0}}

    def again(**changes):
        wanted = run_options({**given, **changes}, build, recipe=recipe, resume=True)
        return run_training(build.root, options=wanted, resume=True, quiet=True)

    first = again()
    assert first.run == str(Path("runs/spots-test_resnet"))
    write_recipe(tmp_path / "a.yaml", epochs=9)  # changed since: the run keeps what it began with
    assert again().history == first.history
    assert RunFolder(Path(first.run)).read().options.model_options == {
        "drop_rate": 0.5, "drop_path_rate": 0.0,
    }  # fmt: skip
    with pytest.raises(OptionError, match=r"--epochs 1 \(now 2\)"):
        again(epochs=2)
    with pytest.raises(OptionError, match="the run was started with --model-options "):
        again(model_options={"drop_rate": 0.1})


def test_broken_recipes_are_clear_errors(make_build, tmp_path):
    build = Build.open(make_build())
    with pytest.raises(OptionError, match=r"mine: unknown .* momentun; did you mean momentum"):
        recipe_options(write_recipe(tmp_path / "a.yaml", momentun=0.9), build, {})
    with pytest.raises(UnknownNameError, match=r"unknown recipe 'lmfr'.*lmfer"):
        recipe_options("lmfr", build, {})
    (tmp_path / "b.yaml").write_text("name: [")
    with pytest.raises(ManifestError, match="not a YAML file"):
        recipe_options(str(tmp_path / "b.yaml"), build, {})


def test_the_clock_is_written_down(everything):
    _, run, report = everything
    for row in report.history:
        assert row["images_per_second"] > 0
        assert 0 <= row["waiting"] < 1
    assert set(CLOCK) <= set((run / "metrics.csv").read_text().splitlines()[0].split(","))
