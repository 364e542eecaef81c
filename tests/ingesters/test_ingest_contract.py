"""What every registered dataset must keep; a new one is tested the moment it is registered."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest
import yaml
from support.damage.base import ERROR, FEWER, SAME
from support.layout_copies import COPIES, choices_of, scale_of

from ferdata import ingesters
from ferdata.core.errors import FerdataError, LayoutError, ManifestError, UnknownNameError
from ferdata.core.labels import CANONICAL
from ferdata.core.yaml_files import shipped_names
from ferdata.data.arrays import SplitArrays
from ferdata.ingesters import info as info_module
from ferdata.ingesters.count_checks import CountDifference, count_differences, demo_marker
from ferdata.ingesters.evidence import CLAIM
from ferdata.ingesters.info import DatasetInfo, load_info, shipped_file
from ferdata.ingesters.synthetic import writers
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.verify import verify

NAMES = shipped_names("datasets")
DAMAGE = {
    (name, layout): damage
    for name in NAMES
    for layout, damage in importlib.import_module(
        f"support.damage.{name.replace('-', '_')}"
    ).DAMAGE.items()
}


def test_every_dataset_has_info_an_ingester_and_a_synthetic_copy() -> None:
    assert NAMES == ingesters.dataset_names() == tuple(ingesters.all_ingesters())
    assert list(NAMES) == sorted(writers())


@pytest.mark.parametrize("name", NAMES)
def test_info_is_complete(name: str) -> None:
    info = ingesters.dataset_info(name)
    assert info.license.strip()
    assert "Allowed" in info.usage
    assert info.access.url.startswith("http")
    assert info.citation.bibtex.strip().startswith("@")
    assert len(info.space) == len(info.codes)
    assert set(info.space.names) == set(info.codes.values())
    for label in info.space.names:
        fractions = info.soft_label(label)
        assert label in CANONICAL if fractions is None else sum(fractions) == pytest.approx(1)
    for layout in info.layouts:
        assert "/" in layout.tree


@pytest.mark.parametrize("name", NAMES)
def test_info_without_a_license_is_refused(name: str) -> None:
    text = shipped_file(name).read_text(encoding="utf-8")
    for missing in ("license", "usage", "citation", "access"):
        values = yaml.safe_load(text)
        del values[missing]
        with pytest.raises(ValueError, match=missing):
            DatasetInfo.model_validate(values)


@pytest.mark.parametrize("name", NAMES)
def test_every_copy_is_detected_and_read(name: str, copies: dict[tuple[str, str], Path]) -> None:
    for (dataset, layout), root in copies.items():
        if dataset != name:
            continue
        best = ingesters.detect(root)[0]
        assert best.dataset == name
        assert best.name.startswith(layout)
        assert best.confidence > CLAIM
        # No other dataset is claimed; FER+ brings FER2013's table with it.
        others = {each.dataset for each in ingesters.detect(root)} - {name}
        assert others == ({"fer2013"} if (name, layout) == ("ferplus", "csv") else set())
        assert best.evidence
        manifest = ingesters.ingest(name, root, **choices_of(name, layout))
        manifest.validate()
        marker = demo_marker([root])
        assert marker is not None
        assert {each.reason.partition(":")[0] for each in manifest.rejects} <= set(
            writers()[name].rejects
        )
        said = manifest.provenance["ingest"]
        assert said["counts"] == {
            split: {label: labels.get(label, 0) for label in manifest.label_space.names}
            for split, labels in sorted(marker["counts"].items())
        }
        scale = scale_of(name, layout)
        assert said["count_check"] == f"synthetic copy at scale {scale}: counts not compared"
        assert said["synthetic_scale"] == scale
        for uri in manifest.column("uri"):
            assert (manifest.roots[name] / uri.partition("#")[0]).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_does_not_depend_on_the_folder_that_was_named(
    name: str, copies: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    for (dataset, layout), root in copies.items():
        if dataset != name:
            continue
        codes = choices_of(name, layout)
        above = tmp_path / "Gefühle 表情" / "raf db"
        above.mkdir(parents=True, exist_ok=True)
        link = above / root.name
        link.symlink_to(root, target_is_directory=True)
        digest = ingesters.ingest(name, root, **codes).digest()
        assert ingesters.ingest(name, link, **codes).digest() == digest
        assert ingesters.ingest(name, above, **codes).digest() == digest
        link.unlink()


@pytest.mark.parametrize(("name", "layout"), COPIES)
def test_litter_of_other_programs_changes_nothing(
    name: str, layout: str, copies: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    root = tmp_path / copies[name, layout].name
    shutil.copytree(copies[name, layout], root)
    codes = choices_of(name, layout)
    digest = ingesters.ingest(name, root, **codes).digest()
    for path in [each for each in root.rglob("*") if each.is_file()]:
        for litter in ("Thumbs.db", f"._{path.name}", f"__MACOSX/{path.name}", "LICENSE.md"):
            (path.parent / litter).parent.mkdir(exist_ok=True)
            (path.parent / litter).write_bytes(b"\0")
    manifest = ingesters.ingest(name, root, **codes)
    assert manifest.digest() == digest
    before = ingesters.ingest(name, copies[name, layout], **codes)
    assert set(manifest.rejects) == set(before.rejects)


@pytest.mark.parametrize("name", NAMES)
def test_roots_that_hold_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no such folder"):
        ingesters.ingest(name, tmp_path / "missing")
    with pytest.raises(LayoutError, match="contains no files"):
        ingesters.ingest(name, tmp_path)
    (tmp_path / "basic.zip").write_bytes(b"PK")
    with pytest.raises(LayoutError, match=r"is a file, not a folder; extract it"):
        ingesters.ingest(name, tmp_path / "basic.zip")
    with pytest.raises(LayoutError, match=r"basic\.zip: extract it first:\n  unzip") as caught:
        ingesters.ingest(name, tmp_path)
    assert f"ferdata datasets {name}" in str(caught.value)
    assert ingesters.detect(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_root_with_another_dataset_says_which(
    name: str, copies: dict[tuple[str, str], Path]
) -> None:
    other = next(each for each in NAMES if each != name)
    for (dataset, _), root in copies.items():
        if dataset == other:
            with pytest.raises(LayoutError, match=f"contains {other} .*, not {name}") as caught:
                ingesters.ingest(name, root)
            assert f"ferdata build {other} --data '{root}'" in str(caught.value)


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'rafdb'"):
        ingesters.ingest("rafbd", tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean 'rafdb'"):
        ingesters.dataset_info("rafbd")
    with pytest.raises(UnknownNameError, match="layout of rafdb"):
        ingesters.dataset_info("rafdb").layout("official")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: broken\ncodes: [", "not a YAML file"),
        ("name: broken\nlicence: x", "the key 'licence' is now called 'license'"),
        ("name: broken\nnotes: [x]", "the key 'notes' is now called 'caveats'"),
    ],
)
def test_broken_info_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/broken.yaml").write_text(text)
    monkeypatch.setattr(info_module, "manifests_folder", lambda: tmp_path)
    with pytest.raises(ManifestError, match=r"broken\.yaml") as caught:
        load_info(shipped_file("broken"), "broken")
    assert problem in str(caught.value)


def test_published_counts_differ_by_class() -> None:
    info = ingesters.dataset_info("rafdb")
    counts = {split: dict(labels) for split, labels in info.counts.items()}
    expected = info.expected_counts("kaggle")
    assert count_differences(counts, expected) == []
    counts["test"]["fear"] -= 3
    assert count_differences(counts, expected) == [CountDifference("test", "fear", 71, 74)]


def test_unpublished_counts_are_compared_by_split_only() -> None:
    info = ingesters.dataset_info("rafdb-compound")
    counts = {split: dict(labels) for split, labels in info.counts.items()}
    counts["train"]["sadly_angry"] += 5
    counts["train"]["sadly_fearful"] -= 5
    expected = info.expected_counts("official-aligned")
    assert count_differences(counts, expected) == []
    counts["train"]["sadly_fearful"] -= 1
    assert count_differences(counts, expected) == [
        CountDifference("train", "all classes", 3161, 3162)
    ]


def test_every_layout_has_a_synthetic_copy_and_its_damages() -> None:
    for name in NAMES:
        known = {layout.name for layout in ingesters.dataset_info(name).layouts}
        written = set(writers()[name].layouts)
        for layout in written:
            assert any(each.startswith(layout) for each in known), (name, layout)
    assert set(DAMAGE) == set(COPIES)


@pytest.mark.parametrize(("name", "layout"), COPIES)
@pytest.mark.parametrize(
    "kind", ["wrong_header", "missing_file", "extra_file", "shuffled_order", "wrong_code"]
)
def test_damaged_copies(
    name: str, layout: str, kind: str, copies: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    damage = getattr(DAMAGE[name, layout], kind)
    if damage is None:
        pytest.skip("this layout has no such thing")
    change, expected = damage
    root = tmp_path / copies[name, layout].name
    shutil.copytree(copies[name, layout], root)
    codes = choices_of(name, layout)
    before = ingesters.ingest(name, root, **codes)
    change(root)
    if expected == ERROR:
        with pytest.raises(FerdataError):
            ingesters.ingest(name, root, **codes)
        return
    after = ingesters.ingest(name, root, **codes)
    after.validate()
    rows = dict(zip(before.column("sample_id"), before.column("label"), strict=True))
    left = dict(zip(after.column("sample_id"), after.column("label"), strict=True))
    if expected == SAME:
        assert left == rows
        return
    assert left.items() < rows.items()
    new = {each for each in after.rejects if each not in before.rejects}
    kinds = {each.reason.partition(":")[0] for each in new}
    assert kinds == (set() if expected == FEWER else {expected})


@pytest.mark.parametrize(("name", "layout"), COPIES)
def test_round_trip(
    name: str, layout: str, copies: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    """From the raw tree to batches: every row arrives with its label and its own pixels."""
    codes = choices_of(name, layout)
    manifest = ingesters.ingest(name, copies[name, layout], **codes)
    options = BuildOptions(
        landmarks="none",
        size=32,
        split="stratified:2:1:1",
        formats=("hdf5",),
        max_reject_rate=0.3,
        choices=dict(codes),
    )
    execution = Execution(executor="serial", quiet=True)
    report = build_shards(name, copies[name, layout], tmp_path / "out", options, execution)
    rows = dict(zip(manifest.column("sample_id"), manifest.column("label"), strict=True))
    stored = {}
    for split in report.record.splits:
        arrays = SplitArrays(tmp_path / "out", split)
        batch = arrays.gather(range(len(arrays)), ("image", "label", "sample_id"))
        labels = arrays.build.label_space.decode(batch["label"])
        stored |= dict(zip(batch["sample_id"], labels, strict=True))
        assert batch["image"].shape[1:] == (32, 32, 3)
        # An image has structure; a blank or shifted array has none, or noise from row to row.
        assert (batch["image"].reshape(len(arrays), -1).std(axis=1) > 5).all()
    rejected = report.record.rejects.total - len(manifest.rejects)
    assert stored.items() <= rows.items()
    assert len(stored) == len(rows) - rejected
    assert verify(tmp_path / "out", quiet=True).ok
