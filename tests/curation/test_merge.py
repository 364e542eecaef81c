"""Merging manifests as a mix says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ferdata.core.errors import FerdataError, LabelError, ManifestError, UnknownNameError
from ferdata.core.labels import BASIC7, BASIC8, CANONICAL, LabelSpace
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.curation.merge import counts_by_dataset, merge
from ferdata.ingesters import dataset_info
from ferdata.recipes.mix import load_mix, mix_names

Labels = dict[str, int]


def source(name: str, labels: Labels, space: LabelSpace, **attributes: Any) -> Manifest:
    rows = (
        {
            "sample_id": f"{name}/{label}{number}",
            "dataset": name,
            "layout": "l",
            "uri": f"{label}{number}.png",
            "framing": "crop",
            "label": label,
        }
        for label, count in labels.items()
        for number in range(count)
    )
    return Manifest.from_rows(rows, space, roots={name: Path("/data") / name}, **attributes)


def mix_file(folder: Path, **values: Any) -> str:
    mix = {
        "name": "test",
        "title": "a test",
        "label_space": "basic8",
        "sources": {"rafdb": {}, "ckplus": {}},
    }
    path = folder / "mix.yaml"
    path.write_text(yaml.safe_dump({**mix, **values}, sort_keys=False))
    return str(path)


@pytest.fixture
def rafdb() -> Manifest:
    return source("rafdb", {"surprise": 2, "anger": 1}, BASIC7)


@pytest.fixture
def ckplus() -> Manifest:
    # The order of names differs from that of every other set: only names may be carried over.
    space = LabelSpace("ckplus7", ("surprise", "contempt", "anger"))
    return source("ckplus", {"contempt": 3, "surprise": 1}, space)


def labels(manifest: Manifest) -> dict[str, str]:
    return dict(zip(manifest.column("sample_id"), manifest.column("label"), strict=True))


def test_labels_are_merged_by_name(tmp_path: Path, rafdb: Manifest, ckplus: Manifest) -> None:
    mix = load_mix(mix_file(tmp_path))
    merged = merge([ckplus, rafdb], mix)
    assert merged.label_space == BASIC8
    assert labels(merged) == labels(rafdb) | labels(ckplus)
    assert merged.column("dataset") == ["rafdb"] * 3 + ["ckplus"] * 4  # in the mix's order
    assert dict(merged.roots) == dict(rafdb.roots) | dict(ckplus.roots)
    counts = counts_by_dataset(merged)
    assert counts["ckplus"][""] == dict.fromkeys(CANONICAL, 0) | {"contempt": 3, "surprise": 1}
    assert merge([rafdb, ckplus], mix).digest() == merged.digest()


def test_an_unmapped_label_is_an_error_that_lists_all(tmp_path: Path, rafdb: Manifest) -> None:
    space = LabelSpace("pairs", ("happily_surprised", "sadly_angry", "anger"))
    pairs = source("ckplus", {"happily_surprised": 2, "sadly_angry": 1, "anger": 1}, space)
    with pytest.raises(LabelError) as caught:
        merge([rafdb, pairs], load_mix(mix_file(tmp_path)))
    assert "ckplus: happily_surprised (2 rows)\n  ckplus: sadly_angry (1 rows)" in str(caught.value)
    sources = {
        "rafdb": {},
        "ckplus": {"labels": {"happily_surprised": "surprise", "sadly_angry": "drop"}},
    }
    merged = merge([rafdb, pairs], load_mix(mix_file(tmp_path, sources=sources)))
    assert labels(merged)["ckplus/happily_surprised1"] == "surprise"
    assert [each.reason for each in merged.rejects] == ["class not in the mix: sadly_angry"]
    assert len(merged) + len(merged.rejects) == len(rafdb) + len(pairs)


@pytest.mark.parametrize("space", ["basic7", ["anger", "surprise"]])
def test_a_smaller_label_space(
    tmp_path: Path, rafdb: Manifest, ckplus: Manifest, space: str | list[str]
) -> None:
    with pytest.raises(LabelError, match=r"ckplus: contempt \(3 rows\)"):
        merge([rafdb, ckplus], load_mix(mix_file(tmp_path, label_space=space)))
    sources = {"rafdb": {}, "ckplus": {"labels": {"contempt": "drop"}}}
    mix = load_mix(mix_file(tmp_path, label_space=space, sources=sources))
    merged = merge([rafdb, ckplus], mix)
    assert merged.label_space == (BASIC7 if space == "basic7" else LabelSpace("test", tuple(space)))
    assert len(merged) == 4
    assert {each.reason for each in merged.rejects} == {"class not in the mix: contempt"}


def test_classes_that_a_source_lacks(tmp_path: Path, rafdb: Manifest, ckplus: Manifest) -> None:
    with pytest.raises(LabelError, match="anger is not in ckplus; contempt is not in rafdb"):
        merge([rafdb, ckplus], load_mix(mix_file(tmp_path, missing_classes="error")))
    merged = merge([rafdb, ckplus], load_mix(mix_file(tmp_path, missing_classes="drop")))
    assert set(merged.column("label")) == {"surprise"}
    assert len(merged.rejects) == 4
    declared = merged.provenance["merge"]["mix"]  # manifests store it under its former name
    assert declared["lacking"] == "drop" and "missing_classes" not in declared
    assert {each.stage for each in merged.rejects} == {"curate"}


def test_rejects_of_the_sources_come_along(
    tmp_path: Path, rafdb: Manifest, ckplus: Manifest
) -> None:
    lost = Reject("", "list.txt#7", "ingest", "malformed line: x")
    merged = merge(
        [Manifest(rafdb.table, BASIC7, (lost,), rafdb.roots), ckplus], load_mix(mix_file(tmp_path))
    )
    assert merged.rejects == (lost,)


def test_wrong_sources(tmp_path: Path, rafdb: Manifest, ckplus: Manifest) -> None:
    mix = load_mix(mix_file(tmp_path))
    with pytest.raises(ManifestError, match="no manifest for ckplus"):
        merge([rafdb], mix)
    with pytest.raises(ManifestError, match="rafdb is given twice"):
        merge([rafdb, rafdb, ckplus], mix)
    with pytest.raises(ManifestError, match="jaffe is not one of its sources"):
        merge([rafdb, ckplus, source("jaffe", {"anger": 1}, BASIC7)], mix)


def test_sources_in_one_manifest_can_be_merged_again(
    tmp_path: Path, rafdb: Manifest, ckplus: Manifest
) -> None:
    mix = load_mix(mix_file(tmp_path))
    merged = merge([rafdb, ckplus], mix)
    assert merge([merged], mix).digest() == merged.digest()


@pytest.mark.parametrize("name", mix_names())
def test_the_mixes_that_ship_are_consistent(name: str) -> None:
    from ferdata.shards.options import BuildOptions
    from ferdata.shards.sources import MixSource

    mix = load_mix(name)
    assert mix.name == name
    for dataset, wanted in mix.sources.items():
        known = dataset_info(dataset)
        known.choose(wanted.choices)
        space = set(known.space.names)
        assert set(wanted.labels) <= space
        assert space - set(wanted.labels) <= set(mix.space.names) | {"contempt"}
    completed = MixSource(mix).complete(BuildOptions(size=64))
    assert completed.size == 64
    assert completed.near_duplicates == 12 or len(mix.sources) == 1
    assert completed.color == mix.build["color"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label_space": "basic9"}, "basic9"),
        ({"sources": {}}, "sources"),
        ({"sources": {"rafdb": {"split": "at random"}}}, "split of rafdb: unknown split rule"),
        ({"sources": {"rafdb": {"labels": {"anger": "rage"}}}}, "rage"),
        ({"build": {"split": "official"}}, r"build\.split: .* set it for each source"),
        ({"build": {"recipe": "lmfer"}}, "use --recipe NAME when you build"),
        ({"build": {"leak_free": True}}, "use --leak-free when you build"),
        ({"build": {"sound": True}}, "use --leak-free when you build"),
        ({"lacking": "keep"}, "the key 'lacking' is now called 'missing_classes'"),
        ({"notes": ["x"]}, "the key 'notes' is now called 'caveats'"),
        ({"lable_space": "basic7"}, "unknown key 'lable_space'.*Did you mean 'label_space'"),
        ({"sources": {"rafdb": {"label": {}}}}, r"sources\.rafdb: .*Did you mean 'labels'"),
    ],
)
def test_broken_mixes(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message) as caught:
        load_mix(mix_file(tmp_path, **values))
    assert "mix.yaml" in str(caught.value)


def test_a_missing_mix(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"FER_CK\+_KDEF"):
        load_mix("FER_CK_KDEF")
    with pytest.raises(ManifestError, match="can't be read"):
        load_mix(str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(FerdataError, match="not a YAML file"):
        load_mix(str(tmp_path / "bad.yaml"))
