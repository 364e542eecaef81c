"""Evaluation of a trained run."""

import json

import cv2
import numpy as np
import pytest
import torch
from support.builds import write_build
from support.runs import copy_run, fast_options, read_checkpoint, read_csv
from typer.testing import CliRunner

from ferdata.core.errors import (
    BuildError,
    LabelError,
    ModelFileError,
    RunError,
    UnknownNameError,
)
from ferdata.core.labels import BASIC7, BASIC8, LabelSpace
from ferdata.data import SplitArrays
from ferdata.evaluation import evaluate
from ferdata.evaluation.report_text import evaluation_text
from ferdata.models.checkpoint import load_classifier
from ferdata.runs.folder import RunFolder
from ferdata.training import run_training


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a build and a run on it."""
    root = tmp_path_factory.mktemp("trained")
    test = [0, 0, 0, 1, 2, 3, 4, 5, 6]
    rows = {"train": [k % 7 for k in range(70)], "validation": list(range(7)), "test": test}
    build = write_build(root / "build", rows)
    run_training(build, root / "run", fast_options(epochs=12, batch_size=10, lr=4e-3), quiet=True)
    return build, root / "run"


def test_scores_are_those_of_a_plain_loop(trained):
    build, run = trained
    report = evaluate(run, build, "test", quiet=True)
    classifier = load_classifier(run / "checkpoints" / "best.ckpt")
    arrays = SplitArrays(build, "test")
    images = torch.from_numpy(np.array(arrays._readers[0].array("image")))
    with torch.inference_mode():
        logits = classifier(images)
    predicted = logits.argmax(1)
    expected = np.zeros((7, 7), dtype=int)
    for true, found in zip(arrays.column("label"), predicted.tolist(), strict=True):
        expected[true, found] += 1
    assert report.scores.confusion == expected.tolist()
    assert [entry.n for entry in report.scores.per_class] == [3, 1, 1, 1, 1, 1, 1]
    assert report.scores.majority_label == "anger"
    assert report.scores.majority_accuracy == pytest.approx(3 / 9)
    assert report.split == "test"
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(arrays.column("label")))
    assert report.calibration.negative_log_likelihood == pytest.approx(loss.item(), rel=1e-4)
    rows = read_csv(run / "evaluation" / "spots-test-best" / "predictions.csv")
    assert [row["sample_id"] for row in rows] == [f"spots/test_{k}" for k in range(9)]
    assert [row["predicted"] for row in rows] == BASIC7.decode(predicted.tolist())
    assert [row["label"] for row in rows][:4] == ["anger"] * 3 + ["disgust"]
    shares = [[float(row[name]) for name in BASIC7.names] for row in rows]
    assert shares == pytest.approx(logits.softmax(1).numpy(), abs=1e-4)


def test_files_hold_the_scores(trained):
    build, run = trained
    report = evaluate(run, build, "validation", quiet=True)
    folder = run / "evaluation" / "spots-validation-best"
    assert json.loads((folder / "report.json").read_text())["scores"]["n"] == 7
    rows = read_csv(folder / "confusion.csv")
    found = [[int(row[name]) for name in BASIC7.names] for row in rows]
    assert found == report.scores.confusion
    picture = cv2.imread(str(folder / "confusion.png"))
    assert picture.shape[0] > 500
    assert picture.std() > 10


@pytest.fixture
def other_build(trained, tmp_path):
    """Return a function that writes a build with other class names."""

    def write(name, names, labels):
        space = LabelSpace(name, names)
        rows = {"train": [0], "validation": [0], "test": labels}  # test's noise follows its place
        return write_build(tmp_path / name, rows, space=space, name=name)

    return write


def test_classes_in_another_order_are_mapped_by_name(trained, other_build):
    build, run = trained
    # the same pictures, since these are drawn by index; the names of their classes are turned
    turned = other_build("turned", BASIC7.names[::-1], [0, 0, 0, 1, 2, 3, 4, 5, 6])
    plain = evaluate(run, build, quiet=True)
    report = evaluate(run, turned, quiet=True)
    assert report.classes.same
    assert [entry.n for entry in report.scores.per_class] == [1, 1, 1, 1, 1, 1, 3]
    assert np.array(report.scores.confusion)[::-1].tolist() == plain.scores.confusion
    assert report.warnings() == []


def test_classes_that_the_model_lacks_are_excluded_and_named(trained, other_build):
    _, run = trained
    build = other_build("basic8", BASIC8.names, [0, 1, 1, 2, 7])
    report = evaluate(run, build, quiet=True)
    assert report.scores.n == 3
    assert report.classes.excluded == {"contempt": 2}
    assert [entry.label for entry in report.scores.per_class] == list(BASIC7.names)
    assert [entry.n for entry in report.scores.per_class] == [1, 1, 0, 0, 0, 0, 1]
    text = " ".join(evaluation_text(report).split())
    assert "2 of contempt (test images)" in text
    folder = run / "evaluation" / "basic8-test-best"
    rows = read_csv(folder / "predictions.csv")
    assert [row["sample_id"][-1] for row in rows] == ["0", "3", "4"]


def test_classes_that_the_build_lacks_can_be_predicted_and_are_errors(trained, other_build):
    _, run = trained
    # the third picture has the spot of the model's class 2, which is fear
    build = other_build("few", ("anger", "disgust", "sadness"), [0, 1, 2])
    report = evaluate(run, build, quiet=True)
    assert report.classes.only_model == ["fear", "happiness", "neutral", "surprise"]
    confusion = np.array(report.scores.confusion)
    assert confusion.shape == (7, 7)
    assert confusion[BASIC7.index("sadness"), BASIC7.index("fear")] == 1
    assert report.scores.per_class[BASIC7.index("fear")].recall is None


def test_a_split_of_classes_that_the_model_lacks_only_is_refused(trained, other_build):
    _, run = trained
    with pytest.raises(BuildError, match=r"no image of split 'test' has a class"):
        evaluate(run, other_build("scorn", BASIC8.names, [1, 1]), quiet=True)


def test_label_spaces_with_nothing_in_common_are_refused(trained, other_build):
    _, run = trained
    build = other_build("compound", ("happily surprised", "sadly angry"), [0, 1])
    with pytest.raises(LabelError, match=r"compound.*shares no class.*basic7"):
        evaluate(run, build, quiet=True)


def test_subjects_attributes_and_leaks_are_reported(trained, tmp_path):
    _, run = trained
    people = [
        {"subject": f"p{k % 3}", "gender": ("female", "male")[k % 2], "dataset": "spots"}
        for k in range(13)
    ] + [{"dataset": "spots"}]
    build = write_build(
        tmp_path / "people", {"test": [k % 7 for k in range(14)]}, people={"test": people},
        leaks=["copies of one image are in train and test"], name="people",
    )  # fmt: skip
    report = evaluate(run, build, quiet=True)
    by = {grouping.by: grouping for grouping in report.groups}
    assert set(by) == {"subject", "gender"}
    assert [group.n for group in by["subject"].groups] == [5, 4, 4]
    assert by["gender"].unknown == 1
    text = evaluation_text(report)
    assert "This build leaks: copies of one image are in train and test. Its scores are" in text
    assert "test split by subject: 3 subjects, mean accuracy" in text
    assert "female" in text
    rows = read_csv(run / "evaluation" / "people-test-best" / "groups.csv")
    assert [(row["by"], row["group"], row["split"]) for row in rows[:3]] == [
        ("subject", "p0", "test"), ("subject", "p1", "test"), ("subject", "p2", "test"),
    ]  # fmt: skip


def test_pictures_of_calibration_mistakes_and_curves_are_drawn(trained, other_build):
    _, run = trained
    turned = other_build("shuffled", BASIC7.names[::-1], list(range(7)) * 5)
    evaluate(run, turned, quiet=True)
    folder = run / "evaluation" / "shuffled-test-best"
    for path in (folder / "reliability.png", folder / "mistakes.png", run / "curves.png"):
        picture = cv2.imread(str(path))
        assert min(picture.shape[:2]) > 500
        assert picture.std() > 10


def test_a_split_that_is_not_there_is_refused(trained):
    build, run = trained
    with pytest.raises(UnknownNameError, match="validation"):
        evaluate(run, build, "valid", quiet=True)


def test_other_channels_are_refused_and_other_sizes_resized(trained, make_build, caplog):
    _, run = trained
    with pytest.raises(BuildError, match="--color rgb"):
        evaluate(run, make_build("gray", channels=1), quiet=True)
    with caplog.at_level("INFO", logger="ferdata"):
        report = evaluate(run, make_build("large", size=48), quiet=True)
    assert "resized" in caplog.text
    assert report.scores.n == 21


def test_a_build_without_the_landmarks_that_the_model_takes_is_refused(trained, tmp_path):
    build, run = trained
    copy = copy_run(run, tmp_path / "run")
    checkpoint = read_checkpoint(copy, "best")
    checkpoint["ferdata"]["landmark_scheme"] = "five"
    torch.save(checkpoint, RunFolder(copy).checkpoint("best"))
    with pytest.raises(BuildError, match=r"scheme None, the model takes 'five'.*--landmarks"):
        evaluate(copy, build, quiet=True)


def test_files_that_are_no_checkpoints_are_refused(trained, tmp_path):
    build, run = trained
    with pytest.raises(RunError, match="not a training run"):
        evaluate(tmp_path, build, quiet=True)
    with pytest.raises(ModelFileError, match="no such checkpoint"):
        load_classifier(run / "checkpoints" / "worst.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "alien.ckpt")
    with pytest.raises(ModelFileError, match="not a checkpoint of ferdata"):
        load_classifier(tmp_path / "alien.ckpt")
    checkpoint = read_checkpoint(run, "best")
    checkpoint["ferdata"]["model"] = "test_vit"
    torch.save(checkpoint, tmp_path / "other.ckpt")
    with pytest.raises(ModelFileError, match="don't fit 'test_vit'"):
        load_classifier(tmp_path / "other.ckpt")


class Trap:
    def __reduce__(self):
        return (print, ("code ran",))


def test_a_checkpoint_can_not_run_code(tmp_path, capsys):
    torch.save({"ferdata": Trap()}, tmp_path / "trap.ckpt")
    with pytest.raises(ModelFileError):
        load_classifier(tmp_path / "trap.ckpt")
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
    assert "test calibration: mean confidence" in result.stdout
    assert "always predicting 'anger': 33.3%" in " ".join(result.stdout.split())
    result = CliRunner().invoke(app, [str(run), str(build), "--json"])
    assert json.loads(result.stdout)["scores"]["n"] == 9
