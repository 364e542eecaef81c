"""What every registered dataset must keep; a new one is tested the moment it is registered."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

from ferdata import ingest
from ferdata.errors import LayoutError, ManifestError, UnknownNameError
from ferdata.ingest.base import ingesters
from ferdata.ingest.checks import CountDifference, count_differences, demo_marker
from ferdata.ingest.facts import DatasetFacts
from ferdata.labels import CANONICAL
from ferdata.resources import manifests_folder
from ferdata.synth import write_demo
from ferdata.synth.demo import writers

NAMES = sorted(ingesters())


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Synthetic copies of every dataset in every layout that can be written."""
    out = tmp_path_factory.mktemp("copies")
    return {
        (name, layout): write_demo(
            name, out / f"{name}-{layout}", layout=layout, scale=0.002, quiet=True
        ).root
        for name, writer in writers().items()
        for layout in writer.layouts
    }


def test_every_dataset_has_facts_an_ingester_and_a_synthetic_copy() -> None:
    assert NAMES == sorted(ingest.names()) == sorted(writers())


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_complete(name: str) -> None:
    facts = ingest.facts(name)
    assert facts.licence.strip()
    assert "Allowed" in facts.usage
    assert facts.access.url.startswith("http")
    assert facts.citation.bibtex.strip().startswith("@")
    assert len(facts.space) == len(facts.codes)
    assert set(facts.space.names) == set(facts.codes.values())
    assert facts.published_totals == {s: sum(c.values()) for s, c in facts.counts.items()}
    for label in facts.space.names:
        shares = facts.soft_label(label)
        assert label in CANONICAL if shares is None else sum(shares) == pytest.approx(1)
    for layout in facts.layouts:
        assert "/" in layout.tree


@pytest.mark.parametrize("name", NAMES)
def test_facts_without_a_licence_are_refused(name: str) -> None:
    text = (manifests_folder() / "datasets" / f"{name}.yaml").read_text(encoding="utf-8")
    for missing in ("licence", "usage", "citation", "access"):
        values = yaml.safe_load(text)
        del values[missing]
        with pytest.raises(ValueError, match=missing):
            DatasetFacts.model_validate(values)


@pytest.mark.parametrize("name", NAMES)
def test_every_copy_is_detected_and_read(name: str, copies: dict[tuple[str, str], Path]) -> None:
    for (dataset, layout), root in copies.items():
        if dataset != name:
            continue
        best = ingest.detect(root)[0]
        assert best.dataset == name
        assert best.layout.startswith(layout)
        assert best.confidence > 0.8
        assert best.evidence
        manifest = ingest.ingest(name, root)
        manifest.validate()
        marker = demo_marker([root])
        assert marker is not None
        drawn = sum(sum(labels.values()) for labels in marker["counts"].values())
        assert len(manifest) + len(manifest.rejects) == drawn
        assert not manifest.rejects
        said = manifest.provenance["ingest"]
        assert said["counts"] == {
            split: {label: labels[label] for label in manifest.label_space.names}
            for split, labels in sorted(marker["counts"].items())
        }
        assert said["count_check"] == "synthetic copy at scale 0.002: counts not compared"
        assert said["synthetic_scale"] == 0.002
        for uri in manifest.column("uri"):
            assert (manifest.roots[name] / uri).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_does_not_depend_on_the_folder_that_was_named(
    name: str, copies: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    for (dataset, _), root in copies.items():
        if dataset != name:
            continue
        above = tmp_path / "Daten für Gefühle" / "RAF"
        above.mkdir(parents=True, exist_ok=True)
        link = above / root.name
        link.symlink_to(root, target_is_directory=True)
        digest = ingest.ingest(name, root).digest()
        assert ingest.ingest(name, link).digest() == digest
        assert ingest.ingest(name, above).digest() == digest
        link.unlink()


@pytest.mark.parametrize("name", NAMES)
def test_roots_that_hold_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no such folder"):
        ingest.ingest(name, tmp_path / "missing")
    with pytest.raises(LayoutError, match="holds no files"):
        ingest.ingest(name, tmp_path)
    (tmp_path / "basic.zip").write_bytes(b"PK")
    with pytest.raises(LayoutError, match=r"is a file, not a folder; extract it"):
        ingest.ingest(name, tmp_path / "basic.zip")
    with pytest.raises(LayoutError, match=r"holds basic\.zip: extract first") as caught:
        ingest.ingest(name, tmp_path)
    assert f"ferdata datasets {name}" in str(caught.value)
    assert ingest.detect(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_root_with_another_dataset_says_which(
    name: str, copies: dict[tuple[str, str], Path]
) -> None:
    other = next(each for each in NAMES if each != name)
    for (dataset, _), root in copies.items():
        if dataset == other:
            with pytest.raises(LayoutError, match=f"holds {other} .*, not {name}") as caught:
                ingest.ingest(name, root)
            assert f"ferdata build {other} --data '{root}'" in str(caught.value)


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'rafdb'"):
        ingest.ingest("rafbd", tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean 'rafdb'"):
        ingest.facts("rafbd")
    with pytest.raises(UnknownNameError, match="layout of rafdb"):
        ingest.facts("rafdb").layout("official")


def test_broken_facts_name_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "broken.yaml").write_text("name: broken\ncodes: [")
    # By module name: the attribute ferdata.ingest.facts is the function of that name.
    module = importlib.import_module("ferdata.ingest.facts")
    monkeypatch.setattr(module, "manifests_folder", lambda: tmp_path)
    with pytest.raises(ManifestError, match=r"broken\.yaml"):
        ingest.facts("broken")


def test_published_counts_differ_by_class() -> None:
    facts = ingest.facts("rafdb")
    counts = {split: dict(labels) for split, labels in facts.counts.items()}
    assert count_differences(counts, facts) == []
    counts["test"]["fear"] -= 3
    assert count_differences(counts, facts) == [CountDifference("test", "fear", 71, 74)]


def test_unpublished_counts_are_compared_by_split_only() -> None:
    facts = ingest.facts("rafdb-compound")
    counts = {split: dict(labels) for split, labels in facts.counts.items()}
    counts["train"]["sadly_angry"] += 5
    counts["train"]["sadly_fearful"] -= 5
    assert count_differences(counts, facts) == []
    counts["train"]["sadly_fearful"] -= 1
    assert count_differences(counts, facts) == [CountDifference("train", "all classes", 3161, 3162)]
