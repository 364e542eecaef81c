"""The packages of plugins in a plan: those that the build uses, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from ferdata.core import registry
from ferdata.core.labels import BASIC7
from ferdata.core.manifest import Manifest
from ferdata.shards.options import BuildOptions
from ferdata.shards.plan import format_versions
from ferdata.shards.plan_difference import plan_differences
from ferdata.shards.plugin_versions import plugin_versions

NAMES = ("dataset.mine", "detector.mine", "format.mine", "label_rule.mine", "operation.mine")
MINE = "mine 1.0"
OPERATION = {"operations": ({"op": "mine"},)}


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package that brings something called `mine` of each kind."""
    package = SimpleNamespace(name="mine", version="1.0")
    entries = [EntryPoint(name, "nowhere:Mine", registry.GROUP)._for(package) for name in NAMES]
    monkeypatch.setattr(registry, "entry_points", lambda **_: entries)
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


def rows(dataset: str = "jaffe", **provenance: object) -> Manifest:
    columns = {"sample_id": f"{dataset}/1", "dataset": dataset, "layout": "x", "framing": "crop"}
    row = {**columns, "uri": "1.png", "label": "fear"}
    return Manifest.from_rows([row], BASIC7, provenance=provenance)


def options(**values: object) -> BuildOptions:
    return BuildOptions.model_construct(**values)


@pytest.mark.parametrize(
    ("manifest", "given", "used"),
    [
        (rows(), options(), None),
        (rows("mine"), options(), "dataset"),
        (rows(faces={"detector": "mine/1"}), options(landmarks="mine"), "detector"),
        (rows(faces={"detector": None}), options(landmarks="mine"), None),
        (rows(), options(formats=("hdf5", "mine")), "format"),
        (rows(ingest={"choices": {"label_rule": "mine"}}), options(), "label_rule"),
        (
            rows(merge={"sources": {"ferplus": {"ingest": {"choices": {"label_rule": "mine"}}}}}),
            options(),
            "label_rule",
        ),
        (rows(), options(augment="balance", **OPERATION), "operation"),
        (rows(), options(augment="none", **OPERATION), None),
    ],
)
def test_only_what_is_used(mine: None, manifest: Manifest, given: BuildOptions, used) -> None:
    expected = {} if used is None else {f"{used} mine": MINE}
    assert plugin_versions(manifest, given) == expected


def test_differences_name_the_package() -> None:
    plan = {"format": "x", "options": {}, "manifest_digest": "y", "landmark_scheme": "five"}
    before, after = {**plan, "versions": {}}, {**plan, "versions": {"operation mine": MINE}}
    assert plan_differences(before, after) == ["operation mine: none there, mine 1.0 now"]
    newer = {**plan, "versions": {"operation mine": "mine 1.1"}}
    assert plan_differences(after, newer) == ["operation mine: mine 1.0 there, mine 1.1 now"]


def test_a_plan_names_the_versions_of_its_formats() -> None:
    """So that a build that an older ferdata began is not finished with shards of another form."""
    assert format_versions(BuildOptions(formats=("hdf5",))) == {"format hdf5": "ferdata-h5/1"}
    assert format_versions(BuildOptions(formats=("hf",))) == {"format hf": "ferdata-hf/2"}
    plan = {"format": "x", "options": {}, "manifest_digest": "y", "landmark_scheme": "five"}
    older = {**plan, "versions": {"format hdf5": "ferdata-h5/1"}}
    now = {**plan, "versions": format_versions(BuildOptions())}
    assert plan_differences(older, now) == ["format hf: none there, ferdata-hf/2 now"]
