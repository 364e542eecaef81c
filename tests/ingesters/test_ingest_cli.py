from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from support.rafdb_trees import BASIC
from typer.testing import CliRunner

from ferdata.cli.datasets import datasets
from ferdata.cli.detect import detect
from ferdata.cli.ingest import ingest
from ferdata.core.errors import OptionError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import load_rejects
from ferdata.ingesters import dataset_names

app = typer.Typer(rich_markup_mode=None)
for verb in (datasets, detect, ingest):
    app.command()(verb)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_detect(basic: Path, tmp_path: Path) -> None:
    code, text = run("detect", basic)
    assert code == 0
    assert text.startswith("rafdb ")
    assert "official-aligned" in text
    assert f"ferdata build rafdb --data {basic} " in text
    code, text = run("detect", basic, "--json")
    assert [each["layout"] for each in json.loads(text)] == [
        "official-aligned",
        "official-original",
    ]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("x")
    code, text = run("detect", tmp_path / "other")
    assert code == 1
    assert "no dataset recognized" in text
    assert run("detect", tmp_path / "other", "--json") == (1, "[]\n")


def test_datasets_lists_all() -> None:
    code, text = run("datasets")
    assert code == 0
    assert all(name in text for name in dataset_names())


@pytest.mark.parametrize("name", dataset_names())
def test_datasets_shows_one(name: str) -> None:
    code, text = run("datasets", name)
    assert code == 0
    for wanted in ("License", "How to get it", "Layouts", "Codes", "Cite", "Caveats"):
        assert wanted in text
    info = json.loads(run("datasets", name, "--json")[1])
    assert info["name"] == name
    for code_number, label in info["codes"].items():
        assert any(line.split()[:2] == [code_number, label] for line in text.splitlines())


def test_ingest_writes_manifest_and_rejects(basic: Path, tmp_path: Path) -> None:
    (basic / "Image/aligned/train_00001_aligned.jpg").unlink()
    out = tmp_path / "out" / "raf.parquet"
    code, text = run("ingest", "rafdb", "--data", basic, "--out", out)
    assert code == 0
    manifest = Manifest.load(out)
    assert len(manifest) == len(BASIC) - 1
    assert [each.sample_id for each in load_rejects(out.with_name("raf.rejects.parquet"))] == [
        "rafdb/train_00001"
    ]
    assert f"{len(manifest)} rows" in text
    assert any(line.split() == ["all", "27", "14"] for line in text.splitlines())


def test_ingest_refuses_other_file_types(basic: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"is a \.parquet file"):
        run("ingest", "rafdb", "--data", basic, "--out", tmp_path / "raf.csv")
