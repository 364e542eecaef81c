"""Evaluation of a trained run."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ferdata.data import SplitArrays
from ferdata.errors import BuildError, LabelError, ModelFileError, OptionError, UnknownNameError
from ferdata.labels import BASIC7, BASIC8
from ferdata.train import TrainOptions, evaluate, train
from ferdata.train.checkpoint import load_model
from ferdata.train.preprocess import Preprocess


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a build and a run on it."""
    from small_builds import write_build

    root = tmp_path_factory.mktemp("trained")
    test = [0, 0, 0, 1, 2, 3, 4, 5, 6]
    rows = {"train": [k % 7 for k in range(70)], "validation": list(range(7)), "test": test}
    build = write_build(root / "build", rows)
    options = TrainOptions(model="test_resnet", epochs=4, batch_size=10, lr=4e-3, device="cpu")
    train(build, root / "run", options, quiet=True)
    return build, root / "run"


def test_scores_are_those_of_a_plain_loop(trained):
    build, run = trained
    report = evaluate(run, build, "test", quiet=True)
    model, facts = load_model(run / "checkpoints" / "best.ckpt")
    arrays = SplitArrays(build, "test")
    images = torch.from_numpy(np.array(arrays._readers[0].array("image")))
    with torch.inference_mode():
        answers = model(Preprocess(facts.mean, facts.std, facts.input_size)(images)).argmax(1)
    expected = np.zeros((7, 7), dtype=int)
    for true, answer in zip(arrays.column("label"), answers.tolist(), strict=True):
        expected[true, answer] += 1
    assert report.scores.confusion == expected.tolist()
    assert [entry.n for entry in report.scores.per_class] == [3, 1, 1, 1, 1, 1, 1]
    assert report.scores.majority_label == "anger"
    assert report.scores.majority_accuracy == pytest.approx(3 / 9)
    assert report.split == "test"


def test_files_hold_the_scores(trained):
    build, run = trained
    report = evaluate(run, build, "validation", quiet=True)
    folder = run / "evaluation" / "spots-validation-best"
    assert json.loads((folder / "report.json").read_text())["scores"]["n"] == 7
    with (folder / "confusion.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][1:] == list(BASIC7.names)
    assert [[int(cell) for cell in row[1:]] for row in rows[1:]] == report.scores.confusion
    picture = cv2.imread(str(folder / "confusion.png"))
    assert picture.shape[0] > 500
    assert picture.std() > 10


def test_another_label_space_is_refused(trained, make_build):
    _, run = trained
    with pytest.raises(LabelError, match=r"basic8.*basic7.*contempt"):
        evaluate(run, make_build(space=BASIC8), quiet=True)


def test_a_split_that_is_not_there_is_refused(trained):
    build, run = trained
    with pytest.raises(UnknownNameError, match="validation"):
        evaluate(run, build, "valid", quiet=True)


def test_other_channels_are_refused_and_other_sizes_resized(trained, make_build, caplog):
    _, run = trained
    with pytest.raises(BuildError, match="--color rgb"):
        evaluate(run, make_build("grey", channels=1), quiet=True)
    with caplog.at_level("INFO", logger="ferdata"):
        report = evaluate(run, make_build("large", size=48), quiet=True)
    assert "resized" in caplog.text
    assert report.scores.n == 21


def test_files_that_are_no_checkpoints_are_refused(trained, tmp_path):
    build, run = trained
    with pytest.raises(OptionError, match="no training run"):
        evaluate(tmp_path, build, quiet=True)
    with pytest.raises(ModelFileError, match="no such checkpoint"):
        load_model(run / "checkpoints" / "worst.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "alien.ckpt")
    with pytest.raises(ModelFileError, match="not a checkpoint of ferdata"):
        load_model(tmp_path / "alien.ckpt")
    checkpoint = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    checkpoint["ferdata"]["model"] = "test_vit"
    torch.save(checkpoint, tmp_path / "other.ckpt")
    with pytest.raises(ModelFileError, match="don't fit 'test_vit'"):
        load_model(tmp_path / "other.ckpt")


class Trap:
    def __reduce__(self):
        return (print, ("code ran",))


def test_a_checkpoint_can_not_run_code(tmp_path, capsys):
    torch.save({"ferdata": Trap()}, tmp_path / "trap.ckpt")
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "trap.ckpt")
    assert "code ran" not in capsys.readouterr().out


def test_the_command_line_prints_table_or_json(trained):
    import typer

    from ferdata.cli.eval import evaluate as verb

    build, run = trained
    app = typer.Typer(rich_markup_mode=None)
    app.command()(verb)
    result = CliRunner().invoke(app, [str(run), str(build), "--split", "test"])
    assert result.exit_code == 0, result.output
    assert "test accuracy" in result.stdout
    assert "always answering 'anger': 33.3%" in result.stdout
    result = CliRunner().invoke(app, [str(run), str(build), "--json"])
    assert json.loads(result.stdout)["scores"]["n"] == 9
