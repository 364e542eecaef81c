"""Builds with a split that is there already: a copy's own, and a user's table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ferdata.core.errors import OptionError
from ferdata.core.manifest import Manifest
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
