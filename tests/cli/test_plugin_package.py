"""A package that adds one of each thing, installed and used: `tests/support/plugin_package`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.plugins import run_ferdata, write_smiles

import ferdata
from ferdata.core import registry
from ferdata.core.manifest import Manifest

pytestmark = [pytest.mark.xdist_group("plugin_site"), pytest.mark.slow]

PACKAGE = "ferdata-example 0.1"
OPTIONS = ("--landmarks", "typical", "--align", "five", "--size", 48, "--quiet")


@pytest.fixture(scope="module")
def built(plugin_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `data` and a `build` of them, in which the package does all it can."""
    folder = tmp_path_factory.mktemp("plugins")
    write_smiles(folder / "data")
    (folder / "gamma.yaml").write_text("- {op: gamma, change: [0.2, 0.3], probability: 1.0}\n")
    done = build(folder, plugin_site)
    assert done.returncode == 0, done.stderr
    return folder


def build(folder: Path, site: Path, *more: object):
    """Run the build, or run it again."""
    copies = ("--augment", "balance", "--balance-to", 20, "--operations", folder / "gamma.yaml")
    command = ("build", "smiles", "--data", folder / "data", "--out", folder / "build")
    formats = ("--formats", "hdf5,npz", "--workers", 2)
    return run_ferdata(*command, *OPTIONS, *copies, *formats, *more, path=site)


def test_its_export(built: Path, plugin_site: Path, tmp_path: Path) -> None:
    words = ("--to", "jsonl", "--out", tmp_path / "lines", "--quiet")
    done = run_ferdata("export", built / "build", *words, path=plugin_site)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "lines/train.jsonl").read_text().splitlines()
    assert len(lines) == 40
    assert (tmp_path / "lines" / json.loads(lines[0])["file"]).is_file()


def test_a_build_with_its_detector_operation_and_format(built: Path, plugin_site: Path) -> None:
    out = built / "build"
    manifest = Manifest.load(out / "manifest.parquet")
    assert set(manifest.column("landmark_source")) == {"typical"}
    drawn = [json.loads(text) for text in manifest.column("operations") if text]
    assert drawn
    assert {operation["op"] for each in drawn for operation in each} == {"gamma"}
    stored = {
        split: np.load(out / f"npz/{split}-00000-of-00001.npz")
        for split in ("train", "validation", "test")
    }
    train = stored["train"]
    assert train["pixels"].shape == (40, 48, 48, 3)
    assert [train["names"][k] for k in train["label"]].count("happiness") == 20
    ids = np.concatenate([each["sample_id"] for each in stored.values()])
    assert ids.tolist() == manifest.column("sample_id")
    verified = run_ferdata("verify", out, path=plugin_site)
    assert verified.returncode == 0, verified.stderr


def test_the_plan_names_the_package(built: Path, plugin_site: Path, tmp_path: Path) -> None:
    out = built / "build"
    used = ("dataset smiles", "detector typical", "format npz", "operation gamma")
    for file in ("plan.json", "build.json"):
        versions = json.loads((out / file).read_text())["versions"]
        assert {name: versions.get(name) for name in used} == dict.fromkeys(used, PACKAGE)
    newer = shutil.copytree(plugin_site, tmp_path / "newer")
    (info,) = newer.glob("ferdata_example-*.dist-info")
    metadata = (info / "METADATA").read_text().replace("\nVersion: 0.1\n", "\nVersion: 0.2\n")
    (info / "METADATA").write_text(metadata)
    refused = build(built, newer)
    assert refused.returncode == 2
    said = " ".join(refused.stderr.split())
    assert f"operation gamma: {PACKAGE} there, ferdata-example 0.2 now" in said
    assert "--overwrite" in said


def test_its_model_is_trained_with_its_operation(
    built: Path, plugin_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(plugin_site))  # in this process, which has loaded torch
    registry._plugins.cache_clear()
    try:
        run = ferdata.train(
            built / "build",
            model="tinynet",
            model_options={"width": 4},
            augment=[{"op": "gamma"}],
            epochs=1,
            out=built / "run",
            quiet=True,
        )
        assert run.evaluate(built / "build", split="test").scores.n > 0
    finally:
        registry._plugins.cache_clear()
    assert run.record.options.model_options == {"width": 4}
