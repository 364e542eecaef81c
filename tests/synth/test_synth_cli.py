"""`ferdata demo` as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ferdata.cli.demo import demo
from ferdata.core.errors import OptionError

app = typer.Typer(rich_markup_mode=None)
app.command()(demo)


def run(*words: str):
    return CliRunner().invoke(app, list(words))


def test_says_where_what_and_what_next(tmp_path: Path):
    out = tmp_path / "my copy"
    result = run("rafdb", "--out", str(out), "--scale", "0.001", "--quiet")
    assert result.exit_code == 0, result.output
    assert str(out) in result.output
    assert "happiness" in result.output
    assert "total" in result.output
    assert f"ferdata build rafdb --data '{out}'" in result.output
    again = run("rafdb", "--out", str(out), "--scale", "0.001", "--quiet")
    assert "already" in again.output


def test_json_and_several_names(tmp_path: Path):
    result = run("rafdb", "rafdb-compound", "--out", str(tmp_path / "d"), "--scale", "0.001",
                 "--json", "-q")  # fmt: skip
    assert result.exit_code == 0, result.output
    copies = json.loads(result.stdout)
    assert [Path(copy["root"]).name for copy in copies] == ["rafdb", "rafdb-compound"]
    assert copies[0]["counts"]["train"]["happiness"] == 5


def test_columns_of_counts_stay_apart(tmp_path: Path):
    out = str(tmp_path / "fer")
    result = run("fer2013", "--out", out, "--scale", "0.001", "--workers", "1", "--quiet")
    assert any(
        line.split() == ["train", "validation", "test"] for line in result.output.split("\n")
    )


def test_sheet(tmp_path: Path):
    result = run("--sheet", str(tmp_path / "faces.png"))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "faces.png").read_bytes().startswith(b"\x89PNG")


def test_missing_arguments():
    for words, message in (((), "name a dataset"), (("rafdb",), "--out")):
        result = run(*words)
        assert isinstance(result.exception, OptionError)
        assert message in str(result.exception)
    with pytest.raises(OptionError):
        demo()
