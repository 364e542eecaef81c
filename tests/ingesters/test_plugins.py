"""Datasets and label rules from installed packages, and from the user's own program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from support import plugins
from support.plugins import install_by_hand, run_ferdata, write_smiles
from support.trees import kinds, touch, write

from ferdata import ingesters
from ferdata.core import registry as registry_module
from ferdata.core.errors import ManifestError, PluginError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import load_rejects
from ferdata.ingesters import catalog
from ferdata.ingesters.ferplus.label_rules import COLUMNS

pytestmark = pytest.mark.xdist_group("plugin_site")  # one installation for all


@pytest.fixture(scope="module", params=["installed", "by hand"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example package in it."""
    if request.param == "installed":
        return request.getfixturevalue("plugin_site")
    target = tmp_path_factory.mktemp("site")
    install_by_hand(target, plugins.SOURCE)
    return target


@pytest.fixture
def smiles(tmp_path: Path) -> Path:
    """Return a small copy of the example's dataset, with a file too many."""
    root = write_smiles(tmp_path / "data")
    touch(root, "happy/holiday.png")
    return root.parent


@pytest.mark.slow
def test_a_dataset_from_a_package(site: Path, smiles: Path, tmp_path: Path) -> None:
    listed = run_ferdata("datasets", path=site)
    assert "smiles" in listed.stdout
    assert "CC0 1.0" in run_ferdata("datasets", "smiles", path=site).stdout
    found = json.loads(run_ferdata("detect", smiles, "--json", path=site).stdout)
    assert (found[0]["dataset"], found[0]["confidence"]) == ("smiles", 0.9)
    out = tmp_path / "smiles.parquet"
    done = run_ferdata("ingest", "smiles", "--data", smiles, "--out", out, path=site)
    assert done.returncode == 0, done.stderr
    assert len(Manifest.load(out)) == 32
    (reject,) = load_rejects(out.with_name("smiles.rejects.parquet"))
    assert reject.reason.startswith("file name: ")
    build = ("build", "smiles", "--data", smiles, "--out", tmp_path / "out", "--size", 48)
    done = run_ferdata(*build, "--landmarks", "none", "--quiet", path=site)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out/build.json").read_text())
    assert record["datasets"] == {"smiles": "Smiles: an example of a dataset in a package"}
    card = (tmp_path / "out/hf/README.md").read_text()
    assert "CC0 1.0" in card
    assert "@misc{smiles" in card


@pytest.mark.slow
def test_a_label_rule_from_a_package(site: Path, tmp_path: Path) -> None:
    votes = ["Training,a.png,10,0,0,0,0,0,0,0,0,0", "Training,b.png,0,9,1,0,0,0,0,0,0,0"]
    data = write(tmp_path / "fer2013new.csv", ",".join(("Usage", "Image name", *COLUMNS)), *votes)
    write(data / "fer2013.csv", "emotion,pixels,Usage", *["6,0 0,Training"] * 2)
    command = ("ingest", "ferplus", "--data", data, "--out", tmp_path / "x.parquet", "--label-rule")
    done = run_ferdata(*command, "unanimous", path=site)
    assert done.returncode == 0, done.stderr
    manifest = Manifest.load(tmp_path / "x.parquet")
    assert manifest.column("label") == ["neutral"]
    (reject,) = load_rejects(tmp_path / "x.rejects.parquet")
    assert reject.reason == "no majority: 9 of 10 votes agree"
    done = run_ferdata(*command, "unanimus", path=site)
    assert done.returncode == 2
    assert "Did you mean 'unanimous'?" in done.stderr


def test_names_are_listed_without_importing_the_package(site: Path) -> None:
    code = """
import sys
from ferdata.ingesters import dataset_names, ingest
from ferdata.ingesters.ferplus.label_rules import LABEL_RULES
assert "smiles" in dataset_names() and "unanimous" in LABEL_RULES.names()
assert not {"ferdata_example", "torch", "mediapipe", "datasets"} & set(sys.modules)
"""
    path = os.pathsep.join([str(site), *sys.path])
    env = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)


@pytest.fixture
def add_plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Return a function that makes an entry point be there."""
    entries: list[EntryPoint] = []

    def add(name: str, value: str) -> None:
        entries.append(EntryPoint(name, value, registry_module.GROUP))
        monkeypatch.setattr(registry_module, "entry_points", lambda **_: entries)
        registry_module._plugins.cache_clear()

    catalog._warn_once.cache_clear()
    yield add
    monkeypatch.undo()
    registry_module._plugins.cache_clear()


class Nameless(ingesters.Ingester):
    info_file = Path("nowhere.yaml")

    def detect(self, tree: ingesters.FileTree) -> list[ingesters.Layout]:
        raise AssertionError

    def read(self, layout: ingesters.Layout, choices: ingesters.Choices):
        raise AssertionError


class WithoutInfo(Nameless):
    name = "broken"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("no_such_package:X", "can't be loaded from an unknown package .*ModuleNotFoundError"),
        ("math:pi", "3.14.* is not a subclass of Ingester"),
        (f"{__name__}:Nameless", "Nameless needs the class attribute name = 'broken'"),
        (f"{__name__}:WithoutInfo", "nowhere.yaml: can't be read"),
    ],
)
def test_a_broken_plugin_does_not_get_in_the_way(
    add_plugin, tmp_path: Path, caplog: pytest.LogCaptureFixture, value: str, problem: str
) -> None:
    add_plugin("dataset.broken", value)
    assert "broken" in ingesters.dataset_names()
    assert "broken" not in ingesters.all_ingesters()
    touch(tmp_path, "AF01/AF01AFS.JPG", "AF01/AF01ANS.JPG")
    assert ingesters.detect(tmp_path)[0].dataset == "kdef"
    assert len(ingesters.ingest("kdef", tmp_path)) == 2
    assert caplog.text.count("skipping the dataset 'broken' of a plugin") == 1
    with pytest.raises((PluginError, ManifestError), match=problem):
        ingesters.dataset_info("broken")


def test_a_plugin_with_the_name_of_a_shipped_dataset(add_plugin) -> None:
    add_plugin("dataset.kdef", f"{__name__}:WithoutInfo")
    with pytest.raises(PluginError, match="comes from ferdata and from an unknown package"):
        ingesters.dataset_info("kdef")


def test_a_program_registers_its_own_dataset(tmp_path: Path) -> None:
    text = (plugins.SOURCE / "ferdata_example/smiles.yaml").read_text()
    write(tmp_path / "mine.yaml", text.replace("name: smiles", "name: mine"))

    @ingesters.register("mine")
    class Mine(Nameless):
        info_file = tmp_path / "mine.yaml"

        def detect(self, tree: ingesters.FileTree) -> list[ingesters.Layout]:
            evidence = ingesters.Evidence(ingesters.Sign.NAMES, "all of it")
            found = ingesters.Layout.below(tree, "", self.name, "folders", evidence)
            return [found] if tree.files == ("a.txt",) else []

        def read(self, layout: ingesters.Layout, choices: ingesters.Choices):
            layout.notices.add("lines are short", "a.txt#1")
            yield ingesters.Sample("1", "a.txt#1", "happiness", "happy")
            yield layout.reject("2", "a.txt#2", "blank line: nothing in it")

    try:
        manifest = ingesters.ingest("mine", write(tmp_path / "data/a.txt", "x"))
        assert manifest.column("sample_id") == ["mine/1"]
        assert kinds(manifest) == ["blank line"]
        with pytest.raises(PluginError, match="there is already a dataset named 'kdef'"):
            ingesters.register("kdef")(Nameless)
    finally:
        catalog.datasets().unregister("mine")
    with pytest.raises(UnknownNameError, match="unknown dataset 'mine'"):
        ingesters.dataset_info("mine")
