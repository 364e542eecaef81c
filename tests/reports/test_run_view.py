"""What a page says about a run: scores as they were written, each with its split and plan."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.evaluated import write_evaluated_run
from support.pages import ParsedPage, hostile_classes

from ferdata.core.errors import RunError
from ferdata.data.build import Build
from ferdata.reports.options import ReportOptions
from ferdata.reports.run_figures import curve_charts
from ferdata.reports.runs import describe_run
from ferdata.reports.write import write_report
from ferdata.runs.folder import RunFolder


def test_scores_curves_and_mistakes(evaluated_run: Path) -> None:
    view = describe_run(RunFolder(evaluated_run), [], ReportOptions())
    (evaluation,) = view.evaluations
    names = hostile_classes().names
    assert (view.epochs, view.best_epoch, view.parameters) == (2, 2, 123456)
    assert evaluation.own
    assert evaluation.scores.accuracy == pytest.approx(2 / 3)
    assert evaluation.wrong == 1
    (mistake,) = evaluation.mistakes
    assert (mistake.label, mistake.predicted) == (names[1], names[0])
    assert mistake.confidence == pytest.approx(0.7)
    assert mistake.image is not None  # from the build that the run names
    assert mistake.image.sample == mistake.sample == "spots/test_1"
    assert evaluation.warnings  # the build leaks


def test_subjects_are_counted_and_not_listed(evaluated_run: Path) -> None:
    view = describe_run(RunFolder(evaluated_run), [], ReportOptions(faces=False))
    gender, subject = view.evaluations[0].groups
    assert (len(gender.groups), gender.number) == (1, 1)
    assert (subject.groups, subject.lowest, subject.number) == ((), "", 1)
    assert view.evaluations[0].mistakes[0].sample == ""


def test_without_faces_the_path_of_a_recipe_is_left_out(
    evaluated_run: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(evaluated_run, tmp_path / "run")
    record = RunFolder(run).read()
    options = record.options.model_copy(update={"recipe": "/home/someone/mine.yaml"})
    record.model_copy(update={"options": options}).save(run)
    out = write_report([run], tmp_path / "r.html", ReportOptions(faces=False))
    page = out.read_text(encoding="utf-8")
    assert "mine.yaml" in page
    assert "someone" not in page


def test_curves_fill_their_plot(evaluated_run: Path) -> None:
    loss, accuracy = curve_charts(describe_run(RunFolder(evaluated_run), [], ReportOptions()))
    assert [line.name for line in loss.lines] == ["train loss", "validation loss"]
    for chart in (loss, accuracy):
        for line in chart.lines:
            assert [x for x, _ in line.points] == [13.0, 98.0]
            assert all(10 <= y <= 190 for _, y in line.points)
        assert chart.mark == 98.0
    assert [tick.text for tick in accuracy.levels] == ["20%", "40%", "60%", "80%"]


def test_split_and_plan_stand_beside_the_numbers(evaluated_run: Path, tmp_path: Path) -> None:
    page = write_report([evaluated_run], tmp_path / "run.html").read_text(encoding="utf-8")
    marks = page.count("test split of")
    assert marks >= 6  # scores, confusion matrix, classes, calibration, groups, mistakes
    assert page.count("aaaaaaaaaaaa") >= marks


def test_a_run_whose_build_is_gone_is_shown_without_images(
    hostile_build: Path, tmp_path: Path
) -> None:
    shutil.copytree(hostile_build, tmp_path / "build")
    run = write_evaluated_run(tmp_path / "run", tmp_path / "build")
    shutil.rmtree(tmp_path / "build")
    (evaluation,) = describe_run(RunFolder(run), [], ReportOptions()).evaluations
    assert [each.image for each in evaluation.mistakes] == [None]
    build = Build.open(hostile_build)  # of the same plan, at another place
    (evaluation,) = describe_run(RunFolder(run), [build], ReportOptions()).evaluations
    assert evaluation.mistakes[0].image is not None


def test_an_unfinished_run_says_so(evaluated_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(evaluated_run, tmp_path / "run")
    record = RunFolder(run).read().model_copy(update={"results": None})
    record.save(run)
    shutil.rmtree(run / "evaluation")
    parsed = ParsedPage(write_report([run]).read_text(encoding="utf-8"))
    text = " ".join(parsed.words)
    assert "not finished" in text
    assert "was not evaluated yet" in text
    assert parsed.data["runs"][0]["history"] == []


def test_damaged_predictions_are_refused(evaluated_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(evaluated_run, tmp_path / "run")
    (path,) = run.glob("evaluation/*/predictions.csv")
    path.write_text(path.read_text() + "spots/test_9,anger,joy,1,0,0\n")
    with pytest.raises(
        RunError, match=r"no prediction of the model's classes: 'spots/test_9.*ferdata eval"
    ):
        write_report([run])


def test_a_damaged_run_is_refused(make_build: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError):
        write_report([tmp_path])
