"""Builds of sets of one's own: whole without their declaration, alone and in a mix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.own_sets import SHAPES, own_images
from typer.testing import CliRunner

import ferdata
from ferdata.cli.app import app
from ferdata.core.errors import BuildError, ManifestError, OptionError
from ferdata.shards.sources import find_source

OPTIONS = {"landmarks": "none", "size": 32, "quiet": True}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own")
    for name in ("table", "arrays", "parquet"):
        SHAPES[name].write(root / name, own_images())
    return root


def declare(folder: Path, name: str, more: str = "") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(SHAPES[name].declaration(f"my-{name}") + more)
    return path


@pytest.mark.parametrize(("name", "workers"), [("table", 1), ("arrays", 1), ("parquet", 2)])
def test_a_build_is_whole_without_the_declaration(
    name: str, workers: int, data: Path, tmp_path: Path
) -> None:
    declaration, out = declare(tmp_path, name), tmp_path / "out"
    ferdata.build(declaration, data=data / name, out=out, workers=workers, **OPTIONS)
    declaration.unlink()
    verified = [sys.executable, "-m", "ferdata", "verify", str(out)]
    assert subprocess.run(verified, check=False).returncode == 0
    build = ferdata.open(out)
    assert build.record.options.split == "native"
    assert build.record.splits["test"].rows == 14
    assert build.record.datasets == {f"my-{name}": f"my-{name}"}
    card = (out / "hf/README.md").read_text()
    assert "License: not stated" in card
    # config.yaml repeats the build: its declaration lies beside it
    again = ferdata.build(config=out / "config.yaml", data=data / name, out=tmp_path / "again")
    assert again.record.plan_sha256 == build.record.plan_sha256


def test_another_license_is_another_build(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = ferdata.build(declare(tmp_path, "table"), data=data / "table", out=out, **OPTIONS)
    other = declare(tmp_path, "table", "license: CC0\n")
    with pytest.raises(BuildError, match="declaration my-table"):
        ferdata.build(other, data=data / "table", out=out, **OPTIONS)
    second = ferdata.build(other, data=data / "table", out=out, overwrite=True, **OPTIONS)
    assert first.record.plan_sha256 != second.record.plan_sha256
    assert "License: CC0" in (out / "hf/README.md").read_text()


def test_a_mix_of_declared_sets(data: Path, tmp_path: Path) -> None:
    declare(tmp_path, "table")
    arrays = yaml.safe_load(SHAPES["arrays"].declaration("my-arrays"))
    mix = {
        "name": "both",
        "title": "Two sets",
        "label_space": "basic7",
        "sources": {
            "my-table": {"declaration": "table.yaml", "split": "native"},
            "my-arrays": {"declaration": arrays, "split": "native"},
        },
    }
    (tmp_path / "mix.yaml").write_text(yaml.safe_dump(mix))
    out = tmp_path / "out"
    command = ["build", str(tmp_path / "mix.yaml"), "--out", str(out), "--workers", "1"]
    folders = [f"--data=my-{name}={data / name}" for name in ("table", "arrays")]
    flags = ["--landmarks", "none", "--size", "32", "--quiet"]
    result = CliRunner().invoke(app, [*command, *folders, *flags])
    assert result.exit_code == 0, result.output
    build = ferdata.open(out)
    assert build.record.datasets == {"my-arrays": "my-arrays", "my-table": "my-table"}
    assert sum(part.rows for part in build.record.splits.values()) == 84
    assert str(tmp_path) not in (out / "build.json").read_text()


def test_what_is_no_source_is_said(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--write my\.yaml"):
        find_source(str(tmp_path))
    (tmp_path / "x.yaml").write_text("name: x\nframing: crop\n")
    with pytest.raises(ManifestError, match=r"neither a set of images .* nor a mix"):
        find_source(str(tmp_path / "x.yaml"))
    with pytest.raises(ManifestError, match="can't be read"):
        find_source(str(tmp_path / "none.yaml"))
    with pytest.raises(OptionError, match="no synthetic copy"):
        ferdata.build(declare(tmp_path, "parquet"), demo=True, out=tmp_path / "out")
    declaration = declare(tmp_path, "table")
    with pytest.raises(OptionError, match="no such option"):
        ferdata.build(declaration, data=tmp_path, out=tmp_path / "out", poses="half")
