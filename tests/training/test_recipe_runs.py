"""Each paper's protocol from the raw files to a tested model, in small."""

import json

import pytest
from typer.testing import CliRunner

from ferdata.cli.app import app

SMALL = ["--epochs", "1", "--input-size", "64", "--batch-size", "8", "--device", "cpu"]
RUNS = [
    ("lmfer", "rafdb", "0.006", ["--leak-free"]),
    ("i_mobilenetv2", "fer2013", "0.004", []),
    ("efficientvit_m5", "rafdb", "0.006", []),
    ("ctan", "jaffe", "0.4", []),
    ("a_mobilenet", "rafdb", "0.006", []),
]


def ferdata(*arguments: str) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "dataset", "scale", "more"), RUNS, ids=str)
def test_a_recipe_builds_and_trains(recipe, dataset, scale, more, tmp_path, landmark_model):
    build, run = tmp_path / "build", tmp_path / "run"
    ferdata(
        "build", dataset, "--recipe", recipe, *more, "--demo", "--demo-scale", scale,
        "--out", build, "--executor", "serial", "--workers", 1, "--formats", "hdf5", "--quiet",
    )  # fmt: skip
    report = json.loads(
        ferdata("train", build, "--recipe", recipe, *SMALL, "--out", run, "--quiet", "--json")
    )
    assert report["recipe"] == report["model"] == recipe
    assert report["epochs"] == 1
    assert report["evaluation"]["split"] == "test"
    options = json.loads((run / "run.json").read_text())["options"]
    assert (options["epochs"], options["input_size"]) == (1, 64)
    assert recipe in ferdata("compare", run, "--build", build, "--no-latency")
