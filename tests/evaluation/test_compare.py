"""Runs side by side."""

import json
import re
import shutil

import cv2
import pytest
import typer
from support.builds import write_build
from support.runs import copy_run, fast_options, read_csv
from typer.testing import CliRunner

from ferdata.cli.compare import compare as verb
from ferdata.core.errors import BuildError, OptionError
from ferdata.evaluation import comparison
from ferdata.evaluation.comparison import claims, compare
from ferdata.evaluation.comparison_tables import comparison_text, writer_for
from ferdata.evaluation.figures import cost_figure
from ferdata.training import run_training

RECIPE = """
name: test_resnet
title: A recipe for tests
summary: None.
paper: {title: T, authors: A, year: 2024}
datasets: {spots: {data: drawn}, elsewhere: {data: drawn}}
claims:
  - {dataset: spots, split: test, accuracy: 99.5, images: 200, where: Table 9, problem: One run.}
  - {dataset: elsewhere, split: test, accuracy: 88.25, where: Table 8}
  - {parameters: 3.4, where: Table 7}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return two runs of two models on one build."""
    root = tmp_path_factory.mktemp("runs")
    build = write_build(root / "build")
    for model in ("test_resnet", "test_efficientnet"):
        run_training(build, root / model, fast_options(model=model, epochs=1), quiet=True)
    return [root / "test_resnet", root / "test_efficientnet"]


@pytest.fixture
def recipe(monkeypatch, tmp_path):
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "test_resnet.yaml").write_text(RECIPE)
    monkeypatch.setattr("ferdata.core.yaml_files.manifests_folder", lambda: tmp_path)


def fast(runs, build=None, split="test", **options):
    return compare(runs, build, split, latency=False, device="cpu", quiet=True, **options)


def test_reports_that_are_there_are_used_and_others_made(runs, monkeypatch):
    result = fast(runs)
    assert [run.name for run in result.runs] == ["test_resnet", "test_efficientnet"]
    assert [run.report.split for run in result.runs] == ["test", "test"]
    calls = []
    evaluate = comparison.evaluate

    def counted(run, *arguments, **options):
        calls.append(run)
        return evaluate(run, *arguments, **options)

    monkeypatch.setattr(comparison, "evaluate", counted)
    fast(runs)
    assert calls == []
    fast(runs, split="validation")
    assert calls == runs
    fast(runs, split="validation")
    assert len(calls) == 2
    # a report of weights that have changed since is not used
    report = runs[0] / "evaluation" / "spots-validation-best" / "report.json"
    report.write_text(json.dumps(json.loads(report.read_text()) | {"checkpoint_sha256": "0"}))
    fast(runs, split="validation")
    assert len(calls) == 3


def test_runs_on_different_images_are_called_not_comparable(runs, tmp_path):
    other = write_build(tmp_path / "other", name="others", plan="b" * 64, leaks=["a hole"])
    known = {"name": "others", "path": str(other), "plan_sha256": "b" * 64}
    moved = copy_run(runs[1], tmp_path / "moved", build=known)
    apart = fast([runs[0], moved])
    assert apart.notes[0].startswith("Not comparable")
    assert "21 test images of spots (plan aaaaaaaaaaaa…)" in apart.notes[0]
    assert "21 test images of others (plan bbbbbbbbbbbb…)" in apart.notes[0]
    assert apart.notes[1] == "moved: This build leaks: a hole. Its scores are inflated."
    together = fast([runs[0], moved], other)
    assert [run.report.build for run in together.runs] == ["others", "others"]
    assert not together.notes[0].startswith("Not comparable")


def test_a_build_that_is_gone_or_was_made_anew_is_not_taken(runs, tmp_path):
    moved = copy_run(runs[0], tmp_path / "run", build={"path": str(tmp_path / "gone")})
    shutil.rmtree(moved / "evaluation")
    with pytest.raises(OptionError, match=r"run: .*does not exist; name the build"):
        fast([moved])
    write_build(tmp_path / "gone", plan="c" * 64)
    with pytest.raises(OptionError, match=r"plan aaaaaaaaaaaa….*now has plan cccccccccccc…"):
        fast([moved])
    with pytest.raises(BuildError, match="nothing: no such"):
        fast([moved], tmp_path / "nothing")


def test_runs_that_cant_be_compared_are_skipped_and_named(runs, tmp_path):
    begun = copy_run(runs[0], tmp_path / "begun", results=None)
    damaged, file = copy_run(runs[0], tmp_path / "damaged"), tmp_path / "notes.md"
    (damaged / "checkpoints" / "best.ckpt").write_bytes(b"no checkpoint")
    file.write_text("not a run")
    result = fast([begun, runs[1], damaged, file])
    assert [run.name for run in result.runs] == ["test_efficientnet"]
    assert list(result.skipped) == ["begun", "damaged", "notes.md"]
    reasons = [
        rf"begun is not finished; finish it with: ferdata train .* --out {begun} --resume",
        r"best\.ckpt: not readable as a checkpoint",
        r"notes\.md: not a training run",
    ]
    for found, reason in zip(result.skipped.values(), reasons, strict=True):
        assert re.search(reason, found)
    text = comparison_text(result)
    assert text.split("\n\n")[-1].startswith("skipped runs\nbegun: ")
    for ending in (".md", ".json"):
        writer_for(tmp_path / f"t{ending}")(result, tmp_path / f"t{ending}")
    assert "## skipped runs\n\n- begun: " in (tmp_path / "t.md").read_text()
    assert len(json.loads((tmp_path / "t.json").read_text())["skipped"]) == 3
    with pytest.raises(OptionError, match=r"no run can be compared:\n  begun: .*\n  damaged: "):
        fast([begun, damaged])


def test_runs_are_given_and_given_once(runs):
    with pytest.raises(OptionError, match="no run"):
        fast([])
    with pytest.raises(OptionError, match="given 2 times"):
        fast([runs[0], runs[0] / "."])


def test_folders_of_one_name_are_told_apart_by_their_paths(runs, tmp_path):
    both = [runs[0], copy_run(runs[0], tmp_path / runs[0].name)]
    assert [run.name for run in fast(both).runs] == list(map(str, both))


def test_claims_are_those_of_the_dataset_and_the_model(recipe):
    assert [claim.where for claim in claims("test_resnet", "spots")] == ["Table 9", "Table 7"]
    assert [claim.where for claim in claims("test_resnet", "elsewhere")] == ["Table 8", "Table 7"]


def test_claims_stand_in_a_table_of_their_own(runs, recipe):
    result = compare(runs, device="cpu", repeats=1, quiet=True)
    assert [run.recipe for run in result.runs] == ["test_resnet", None]
    blocks = comparison_text(result).split("\n\n")
    (claimed,) = (block for block in blocks if "99.50 %" in block)
    assert claimed.startswith("claimed in the paper, not measured here")
    assert "One run." in claimed
    assert "88.25" not in claimed
    measured = next(block for block in blocks if block.startswith("test split"))
    accuracy = result.runs[0].report.scores.accuracy
    assert f"{accuracy:.2%}" in measured
    assert f"{result.runs[1].complexity.parameters:,}" in comparison_text(result)
    assert [speed.batch_size for speed in result.runs[0].speed] == [1, 64]
    assert max(map(len, comparison_text(result).splitlines())) <= 110


def test_files_are_written_by_their_endings(runs, recipe, tmp_path):
    result = compare(runs, device="cpu", repeats=1, quiet=True)
    for ending in (".md", ".csv", ".json", ".png"):
        writer_for(tmp_path / f"t{ending}")(result, tmp_path / f"t{ending}")
    text = (tmp_path / "t.md").read_text()
    assert "## test split" in text
    assert r"| test\_resnet | spots | 21 |" in text
    first, second = read_csv(tmp_path / "t.csv")
    assert float(first["accuracy"]) == pytest.approx(result.runs[0].report.scores.accuracy)
    assert (first["split"], first["n"]) == ("test", "21")
    assert "99.50 % (Table 9) [One run.]" in first["claimed_in_the_paper"]
    assert second["claimed_in_the_paper"] == ""
    assert float(second["batch64_p50_ms"]) > 0
    assert json.loads((tmp_path / "t.json").read_text())["split"] == "test"
    assert cv2.imread(str(tmp_path / "t.png")).std() > 10
    with pytest.raises(OptionError, match=r"\.md, \.csv, \.json, \.png"):
        writer_for(tmp_path / "t.xlsx")


def test_names_are_not_markup(runs, tmp_path):
    result = fast(runs[:1])
    run = result.runs[0]
    run.name, run.report.build = "a|b *c*", "<img src=x>\n\n# big"
    result.notes = ["[link](http://example.org) <b>"]
    writer_for(tmp_path / "t.md")(result, tmp_path / "t.md")
    text = (tmp_path / "t.md").read_text()
    assert "> \\[link\\](http://example.org) &lt;b&gt;\n" in text
    assert "| a\\|b \\*c\\* | &lt;img src=x&gt; \\# big | 21 |" in text
    assert "| --- | --- |" in text


def test_a_name_with_dollars_or_a_first_underscore_is_drawn_as_it_stands(runs, tmp_path):
    result = fast(runs[:1])
    result.runs[0].name, result.runs[0].report.build = "_cost$\\frac{$", "$\\frac{$"
    writer_for(tmp_path / "t.png")(result, tmp_path / "t.png")
    assert cv2.imread(str(tmp_path / "t.png")).std() > 10
    names = ["_first", "a $1 and $2"]
    figure = cost_figure(names, [1000, 2000], [(0.5, 0.4, 0.6)] * 2, title="$\\frac{$")
    legend = [text.get_text().strip() for text in figure.legends[0].get_texts()]
    assert legend == ["_first", r"a \$1 and \$2"]


def test_the_command_line_prints_text_or_json(runs, tmp_path):
    app = typer.Typer(rich_markup_mode=None)
    app.command()(verb)
    given = [*map(str, runs), "--no-latency", "--device", "cpu"]
    result = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "t.md")])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("test split")
    assert (tmp_path / "t.md").exists()
    result = CliRunner().invoke(app, [*given, "--json", "--split", "validation"])
    assert [run["report"]["split"] for run in json.loads(result.stdout)["runs"]] == [
        "validation", "validation",
    ]  # fmt: skip
    text = CliRunner().invoke(app, ["--help"]).stdout
    assert "ferdata compare runs/*" in text
