"""Whole runs on small builds."""

import json

import pytest
import torch
from support.builds import write_build
from support.runs import copy_run, fast_options, history, read_checkpoint

from ferdata.core.errors import BuildError, ModelFileError, OptionError, RunError, TrainingError
from ferdata.evaluation import evaluate
from ferdata.models.weights import read_weights
from ferdata.runs.folder import RunFolder
from ferdata.runs.options import TrainOptions
from ferdata.training import run_training


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """Return build, folder and report of one run of three epochs."""
    root = tmp_path_factory.mktemp("whole")
    build = write_build(root / "build")
    return (
        build,
        root / "run",
        run_training(build, root / "run", fast_options(epochs=3), quiet=True),
    )


def test_a_run_leaves_everything_in_its_folder(whole_run):
    _, run, report = whole_run
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert names >= {
        "run.json",
        "metrics.csv",
        "curves.png",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "checkpoints/best.safetensors",
        "checkpoints/last.safetensors",
        "evaluation/spots-test-best/report.json",
        "evaluation/spots-test-best/confusion.csv",
        "evaluation/spots-test-best/confusion.png",
    }
    folders = {name.partition("/")[0] for name in names if "/" in name}
    assert folders == {"checkpoints", "evaluation", "tensorboard"}
    lines = (run / "metrics.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,step,lr,train_loss,validation_accuracy")
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3"]
    record = json.loads((run / "run.json").read_text())
    assert record["results"]["epochs"] == report.epochs == 3
    assert record["options"]["model"] == "test_resnet"
    assert report.evaluation.split == "test"


def test_checkpoints_say_what_they_are_and_hold_no_code(whole_run):
    build, run, _ = whole_run
    spec = read_checkpoint(run)["ferdata"]
    names = json.loads((build / "build.json").read_text())["label_space"]["names"]
    assert spec["labels"] == names
    assert spec["model"] == "test_resnet"
    assert spec["input_size"] == [32, 32]
    assert len(spec["mean"]) == 3


@pytest.mark.parametrize("which", ["best", "last"])
def test_weights_lie_beside_each_checkpoint(whole_run, which):
    _, run, _ = whole_run
    folder = RunFolder(run)
    spec, weights = read_weights(folder.weights(which))
    other_spec, other = read_weights(folder.checkpoint(which))
    assert spec == other_spec == folder.read().spec
    assert weights.keys() == other.keys()
    assert all(torch.equal(weights[name], other[name]) for name in other)


def test_a_run_without_checkpoints_is_evaluated_by_its_weights(whole_run, tmp_path):
    build, whole, report = whole_run
    run = copy_run(whole, tmp_path / "copy")
    for path in (run / "checkpoints").glob("*.ckpt"):
        path.unlink()
    assert evaluate(run, build, quiet=True).scores == report.evaluation.scores


def test_same_seed_same_curve_and_other_seed_another(whole_run, tmp_path):
    build, _, first = whole_run
    again = run_training(build, tmp_path / "again", fast_options(epochs=3), quiet=True)
    other = run_training(build, tmp_path / "other", fast_options(epochs=3, seed=1), quiet=True)
    assert history(again) == history(first)
    assert history(other) != history(first)


def test_a_resumed_run_equals_an_uninterrupted_one(whole_run, tmp_path, monkeypatch):
    build, whole, report = whole_run
    from ferdata.training.task import ExpressionTask

    step = ExpressionTask.training_step

    def interrupted(self, batch, batch_index):
        if self.trainer.current_epoch == 1 and batch_index == 2:
            raise KeyboardInterrupt
        return step(self, batch, batch_index)

    monkeypatch.setattr(ExpressionTask, "training_step", interrupted)
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_training(build, run, fast_options(epochs=3), quiet=True)
    assert RunFolder(run).checkpoint("last").is_file()
    monkeypatch.undo()
    resumed = run_training(build, run, TrainOptions(), resume=True, quiet=True)
    assert history(resumed) == history(report)
    assert resumed.best_epoch == report.best_epoch
    ours, theirs = (read_checkpoint(folder)["state_dict"] for folder in (run, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_resuming_a_finished_run_trains_nothing(whole_run, tmp_path):
    build, whole, report = whole_run
    run = copy_run(whole, tmp_path / "copy")
    before = (run / "checkpoints" / "last.ckpt").read_bytes()
    again = run_training(build, run, TrainOptions(), resume=True, quiet=True)
    assert again.history == report.history
    assert (run / "checkpoints" / "last.ckpt").read_bytes() == before


def test_a_run_is_never_overwritten(whole_run):
    build, run, _ = whole_run
    with pytest.raises(RunError, match=r"--resume.*--out"):
        run_training(build, run, fast_options(), quiet=True)


def test_resume_starts_a_run_where_there_is_none(whole_run, tmp_path, caplog):
    build, _, report = whole_run
    with caplog.at_level("INFO", logger="ferdata"):
        started = run_training(
            build, tmp_path / "new", fast_options(epochs=3), resume=True, quiet=True
        )
    assert [line for line in caplog.messages if "resume" in line] == [
        f"{tmp_path / 'new'}: no run to resume; starting a new one"
    ]
    assert history(started) == history(report)


def test_resume_refuses_another_build(whole_run, make_build):
    _, run, _ = whole_run
    other = make_build(plan="b" * 64)
    with pytest.raises(RunError, match="can only be resumed on the same build"):
        run_training(other, run, resume=True, quiet=True)


def test_a_damaged_checkpoint_is_a_clear_error(whole_run, tmp_path):
    build, whole, _ = whole_run
    run = copy_run(whole, tmp_path / "copy")
    last = run / "checkpoints" / "last.ckpt"
    for damaged in (last.read_bytes()[:5000], b"", b"no checkpoint"):
        last.write_bytes(damaged)
        with pytest.raises(ModelFileError, match=r"last\.ckpt: not readable"):
            run_training(build, run, resume=True, quiet=True)


def test_small_data_can_be_learned_by_heart(make_build, tmp_path):
    labels = [k % 7 for k in range(64)]
    build = make_build(rows={"train": labels, "test": labels[:7]})
    wanted = fast_options(epochs=12, batch_size=16, lr=4e-3, select="last")
    report = run_training(build, tmp_path / "run", wanted, quiet=True)
    assert report.history[-1]["train_loss"] < 0.15
    assert report.best_epoch is None
    assert report.evaluation.checkpoint == "last"


def test_without_validation_the_last_epoch_must_be_asked_for(make_build, tmp_path):
    build = make_build(rows={"train": [0, 1] * 14, "test": [0, 1]})
    with pytest.raises(BuildError, match="--select last"):
        run_training(build, tmp_path / "run", fast_options(), quiet=True)
    assert not (tmp_path / "run").exists()


def test_fewer_images_than_a_batch_are_refused(make_build, tmp_path):
    build = make_build(rows={"train": [0, 1], "validation": [0, 1], "test": [0, 1]})
    with pytest.raises(BuildError, match="--batch-size"):
        run_training(build, tmp_path / "run", fast_options(), quiet=True)


def test_a_class_that_train_lacks_is_said(make_build, tmp_path, caplog):
    rows = {"train": [k % 6 for k in range(28)], "validation": [0, 6], "test": [6, 1]}
    build = make_build(rows=rows)
    with pytest.raises(OptionError, match="no image of surprise"):
        run_training(build, tmp_path / "a", fast_options(class_weights="balanced"), quiet=True)
    run_training(build, tmp_path / "b", fast_options(epochs=1), quiet=True)
    assert "no image of surprise" in caplog.text


def test_class_weights_are_n_over_count(make_build):
    from ferdata.data import Build
    from ferdata.training.components import _class_weights

    rows = {"train": [0] * 6 + [1, 2, 3, 4, 5, 6], "validation": [0], "test": [0]}
    weights = _class_weights(
        Build.open(make_build(rows=rows)), fast_options(class_weights="balanced")
    )
    assert weights == [2.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0]


def test_a_loss_that_is_nan_ends_the_run(make_build, tmp_path):
    build = make_build()
    wanted = fast_options(lr=1e30, gradient_clip=0, warmup=0)
    with pytest.raises(TrainingError, match=r"epoch 1, step \d.*lower --lr"):
        run_training(build, tmp_path / "run", wanted, quiet=True)
    # nothing was kept, so the same folder may be used again
    run_training(build, tmp_path / "run", fast_options(epochs=1), quiet=True)


def test_a_run_that_diverges_in_an_epochs_last_step_keeps_no_broken_checkpoint(
    make_build, tmp_path
):
    wanted = fast_options(lr=1e30, gradient_clip=0, warmup=0, batch_size=70)  # one step an epoch
    with pytest.raises(TrainingError, match=r"NaN or infinite after epoch 1: training has"):
        run_training(make_build(), tmp_path / "run", wanted, quiet=True)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_gray_builds_train(make_build, tmp_path):
    report = run_training(
        make_build(channels=1), tmp_path / "run", fast_options(epochs=1), quiet=True
    )
    assert report.evaluation.scores.n == 21


def test_a_gpu_that_is_not_there_is_said(make_build, tmp_path):
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(OptionError, match="sees no GPU"):
        run_training(make_build(), tmp_path / "run", fast_options(device="gpu"), quiet=True)
