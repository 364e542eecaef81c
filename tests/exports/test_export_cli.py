"""`ferdata export` and `build --from` as they are called in a shell."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.core.errors import OptionError
from ferdata.exports.registry import EXPORTS

PACKAGE_OF = {"csv": "pandas", "parquet": "pandas", "imagefolder": "torchvision"}


def run(*words: object) -> str:
    result = CliRunner().invoke(app, list(map(str, words)))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("entry", EXPORTS.all(), ids=lambda entry: entry.name)
def test_what_is_printed_opens_the_folder(entry, build, tmp_path):
    shown = run("export", build, "--to", entry.name, "--out", tmp_path / "out")
    assert "train 30, validation 7, test 8 images" in shown
    assert "terms    spots" in shown or "terms    the datasets are not recorded" in shown
    code = "\n".join(line[2:] for line in shown.partition("Python:\n")[2].splitlines())
    compile(code, entry.name, "exec")
    if entry.name in ("fiftyone", "litdata"):  # libraries of another environment
        return
    pytest.importorskip(PACKAGE_OF.get(entry.name, entry.name))
    found = {}
    exec(code, found)  # noqa: S102 - the program's own example
    train = found["train"]
    assert sum(1 for _ in (train.iterrows() if isinstance(train, pd.DataFrame) else train)) == 30


def test_json_and_options(build, tmp_path):
    out = tmp_path / "out"
    words = ("--splits", "train,test", "--no-copies", "--json", "--quiet")
    report = json.loads(run("export", build, "--to", "parquet", "--out", out, *words))
    assert report["splits"] == {"train": 20, "test": 8}
    assert report["target"] == "parquet"


def test_flags_in_messages(build, tmp_path):
    with pytest.raises(OptionError, match="--shard-bytes 7q: expected a size"):
        run("export", build, "--to", "csv", "--shard-bytes", "7q", "--out", tmp_path / "out")
    with pytest.raises(OptionError, match="--opset has no meaning here"):
        run("export", build, "--to", "csv", "--opset", "20", "--out", tmp_path / "out")


def test_build_from_an_export(build, tmp_path):
    run("export", build, "--to", "fiftyone", "--out", tmp_path / "fo")
    words = ("--size", 32, "--landmarks", "none", "--formats", "hdf5", "--no-report", "--json")
    words += ("--executor", "serial", "--quiet")
    shown = run(
        "build", "mine", "--from", f"fiftyone:{tmp_path}/fo", "--out", tmp_path / "o", *words
    )
    record = json.loads(shown[shown.index("{") :])
    assert record["name"] == "mine"
    assert {split: each["rows"] for split, each in record["splits"].items()} == {
        "train": 30,
        "validation": 7,
        "test": 8,
    }
