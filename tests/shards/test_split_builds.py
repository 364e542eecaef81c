"""Builds with a split from a copy, a table or a split file, and with corrected labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ferdata.api.splits import compare_split, export_split
from ferdata.core.errors import OptionError
from ferdata.core.manifest import Manifest
from ferdata.curation.label_patches import LabelChange, LabelPatch, save_patch
from ferdata.ingesters.demo import write_demo
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.record import BuildRecord
from ferdata.shards.verify import verify

EXECUTION = Execution(executor="serial", quiet=True)


@pytest.fixture(scope="module")
def yolo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of AffectNet with a split of its own."""
    out = tmp_path_factory.mktemp("yolo")
    yield write_demo("affectnet", out, layout="yolo", scale=0.0003, quiet=True).root


def built(data: Path, out: Path, split: str) -> BuildRecord:
    options = BuildOptions(split=split, size=32, landmarks="none", formats=("hdf5",))
    return build_shards("affectnet", data, out, options, EXECUTION).record


def test_a_copys_own_split_is_kept_by_default_and_said(yolo: Path, tmp_path: Path) -> None:
    record = built(yolo, tmp_path / "out", "auto")
    assert record.options.split == "native"
    assert any(
        "is that of this copy, since the images have no official split" in note
        for note in record.notes
    )
    manifest = Manifest.load(tmp_path / "out/manifest.parquet")
    words = {"train": "train", "valid": "validation", "test": "test"}
    pairs = zip(manifest.column("split_native"), manifest.column("split"), strict=True)
    assert all(words[native] == split for native, split in pairs)
    assert set(record.splits) == {"train", "validation", "test"}
    assert verify(tmp_path / "out", quiet=True).ok
    again = built(yolo, tmp_path / "again", "native")
    assert again.plan_sha256 == record.plan_sha256


def test_a_table_splits_a_build_wherever_it_lies(yolo: Path, tmp_path: Path) -> None:
    parts = ("train", "train", "validation", "test")
    paths = sorted(path.relative_to(yolo / "YOLO_format") for path in yolo.rglob("*.png"))
    lines = [f"{path.as_posix()},{parts[k % 4]}" for k, path in enumerate(paths)]
    plans = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my.csv").write_text("path,split\n" + "\n".join(lines))
        record = built(yolo, tmp_path / f"out-{folder}", f"file:{tmp_path / folder / 'my.csv'}")
        plans.add(record.plan_sha256)
    assert len(plans) == 1
    assert record.options.split == "file:my.csv"
    rows = {name: split.rows for name, split in record.splits.items()}
    assert rows["train"] == sum(part == "train" for k, _ in enumerate(paths)
                                for part in [parts[k % 4]])  # fmt: skip
    assert verify(tmp_path / "out-a", quiet=True).ok
    with pytest.raises(OptionError, match="can't be read"):
        built(yolo, tmp_path / "out-c", f"file:{tmp_path / 'none.csv'}")


@pytest.fixture(scope="module")
def rafdb(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """RAF-DB in the authors' layout and in Kaggle's, with the same images."""
    out = tmp_path_factory.mktemp("rafdb")
    return {
        layout: write_demo("rafdb", out / layout, layout=layout, scale=0.006, quiet=True).root
        for layout in ("official", "kaggle")
    }


def built_rafdb(data: Path, out: Path, **options: object) -> tuple[BuildRecord, Manifest]:
    plain = {"size": 32, "landmarks": "none", "formats": ("hdf5",), **options}
    record = build_shards("rafdb", data, out, BuildOptions(**plain), EXECUTION).record
    return record, Manifest.load(out / "manifest.parquet")


def test_a_published_split_gives_another_layout_the_same_plan(
    rafdb: dict[str, Path], tmp_path: Path
) -> None:
    first, one = built_rafdb(rafdb["official"], tmp_path / "one")
    file = tmp_path / "rafdb.split.json"
    written = export_split(tmp_path / "one", file)
    second, two = built_rafdb(rafdb["kaggle"], tmp_path / "two", split=f"file:{file}")
    assert first.split_digest == second.split_digest == written.digest
    for column in ("sample_id", "split", "label", "pixel_sha256"):
        assert one.column(column) == two.column(column)
    assert [vars(each) for each in first.splits.values()] == [
        vars(each) for each in second.splits.values()
    ]
    assert not any("official split" in note for note in second.notes)
    again, _ = built_rafdb(rafdb["kaggle"], tmp_path / "again", split=f"file:{file}")
    assert again.plan_sha256 == second.plan_sha256
    (difference,) = compare_split(file, tmp_path / "two")
    assert not difference.differs


def test_a_label_patch_is_in_the_plan_the_record_and_the_card(
    rafdb: dict[str, Path], tmp_path: Path
) -> None:
    first, one = built_rafdb(rafdb["kaggle"], tmp_path / "one")
    name, old = one.column("sample_id")[0], one.column("label")[0]
    new = next(label for label in one.label_space.names if label != old)
    change = LabelChange(sample_id=name, old=old, new=new, reason="two experts agree")
    save_patch(LabelPatch(source="two experts", changes=(change,)), tmp_path / "p.json")
    options = {"labels": str(tmp_path / "p.json"), "formats": ("hdf5", "hf")}
    second, two = built_rafdb(rafdb["kaggle"], tmp_path / "two", **options)
    assert dict(zip(two.column("sample_id"), two.column("label"), strict=True))[name] == new
    assert second.plan_sha256 != first.plan_sha256
    assert second.split_digest != first.split_digest
    assert second.options.labels == "p.json"
    (note,) = [each for each in second.notes if "p.json" in each]
    assert note == "labels are corrected by p.json (two experts): 1 changed"
    assert note in (tmp_path / "two/hf/README.md").read_text()
    assert verify(tmp_path / "two", quiet=True).ok
