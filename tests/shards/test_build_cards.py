"""Cards of builds: written by the build, the same when written again, checked by verify."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ferdata
from ferdata.core.errors import BuildError, OptionError
from ferdata.core.files import read_json, sha256_file, write_json
from ferdata.shards.cards import rewrite_cards
from ferdata.shards.dummies import write_dummy_build
from ferdata.shards.record import BuildRecord
from ferdata.shards.verify import verify

CARD, CROISSANT = "hf/README.md", "croissant.json"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory, demo_rafdb: Path) -> Path:
    """Return a build in several shards; never write into it."""
    out = tmp_path_factory.mktemp("cards") / "rafdb"
    ferdata.build(
        "rafdb", data=demo_rafdb, out=out, landmarks="dataset", align="none", size=32, quiet=True,
        augment="balance", shard_bytes="200KB", executor="serial",
    )  # fmt: skip
    return out


@pytest.fixture
def build(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "out"))


def edit(path: Path, change: Callable[[Any], None]) -> None:
    value = read_json(path)
    change(value)
    write_json(path, value)


def test_croissant_lists_every_file_by_its_hash(pristine: Path) -> None:
    listed = {
        each["contentUrl"]: (each["sha256"], each["contentSize"])
        for each in read_json(pristine / CROISSANT)["distribution"]
        if each["@type"] == "cr:FileObject"
    }
    recorded = BuildRecord.open(pristine).files
    assert set(listed) == set(recorded) - {CROISSANT}
    for name, (digest, size) in listed.items():
        assert digest == sha256_file(pristine / name)
        assert size == f"{(pristine / name).stat().st_size} B"


def test_mlcroissant_reads_the_images(pristine: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    dataset = mlcroissant.Dataset(pristine / CROISSANT)
    assert dataset.metadata.ctx.issues.errors == set()
    records = list(dataset.records("images"))
    build = ferdata.open(pristine)
    assert len(records) == build.record.rows
    assert len([path for path in build.record.files if path.endswith(".parquet")]) > 5
    known = build.manifest.to_pandas().set_index("sample_id")
    names = [each["classes/name"] for each in dataset.records("classes")]
    for record in records[::17]:
        row = known.loc[record["images/sample_id"].decode()]
        assert names[record["images/label"]] == row["label"]
        assert record["images/split"].decode() == row["split"]
        assert np.asarray(record["images/image"]).shape == (32, 32, 3)
        assert np.shape(record["images/landmarks"]) == (build.landmarks.points, 2)


def test_cards_written_again_have_the_same_bytes(build: Path) -> None:
    before = {path: path.read_bytes() for path in build.rglob("*") if path.is_file()}
    record, files = rewrite_cards(build)
    assert [path.relative_to(build).as_posix() for path in files] == [CARD, CROISSANT]
    assert record == BuildRecord.open(build)
    assert {path: path.read_bytes() for path in before} == before


def test_an_earlier_build_gets_its_croissant(build: Path) -> None:
    before = (build / CROISSANT).read_bytes()
    (build / CROISSANT).unlink()
    (build / CARD).write_text("---\nlicense: other\n---\nas an earlier version wrote it\n")
    digest = sha256_file(build / CARD)

    def forget(values: Any) -> None:
        del values["files"][CROISSANT]
        values["files"][CARD]["sha256"] = digest

    edit(build / "build.json", forget)
    assert verify(build, quiet=True).ok
    rewrite_cards(build)
    assert (build / CROISSANT).read_bytes() == before
    assert "## Datasheet" in (build / CARD).read_text()
    assert verify(build, quiet=True).ok


@pytest.mark.parametrize("name", [CARD, CROISSANT])
def test_a_file_that_was_edited_is_kept(build: Path, name: str) -> None:
    (build / name).write_text("mine")
    with pytest.raises(BuildError, match="changed by hand"):
        rewrite_cards(build)
    assert (build / name).read_text() == "mine"
    rewrite_cards(build, overwrite=True)
    assert verify(build, quiet=True).ok


def test_verify_compares_what_croissant_lists(build: Path) -> None:
    def change(values: Any) -> None:
        first, second, *_ = [e for e in values["distribution"] if e["@type"] == "cr:FileObject"]
        first["sha256"] = "0" * 64
        second["contentUrl"] = "elsewhere.parquet"

    edit(build / CROISSANT, change)
    digest = sha256_file(build / CROISSANT)
    edit(build / "build.json", lambda v: v["files"][CROISSANT].update(sha256=digest))
    found = [each.what for each in verify(build, quiet=True).findings if each.file == CROISSANT]
    assert len(found) == 3
    assert any("with another hash" in what for what in found)
    assert "lists elsewhere.parquet, which build.json does not" in found
    assert any(what.startswith("does not list") for what in found)


@pytest.mark.parametrize("content", ["[]", '{"distribution": 3}', '{"distribution": [3]}', "{"])
def test_verify_survives_any_croissant(build: Path, content: str) -> None:
    (build / CROISSANT).write_text(content)
    digest = sha256_file(build / CROISSANT)
    edit(build / "build.json", lambda v: v["files"][CROISSANT].update(sha256=digest))
    report = verify(build, quiet=True)
    assert {each.file for each in report.findings} == {CROISSANT}


def test_a_build_without_a_card_says_so(tmp_path: Path) -> None:
    out = write_dummy_build(tmp_path / "out", formats=("hdf5",))
    edit(out / "build.json", lambda v: v["options"].update(formats=["hdf5"]))
    with pytest.raises(OptionError, match="--formats hdf5,hf"):
        rewrite_cards(out)
    with pytest.raises(BuildError, match="no such folder"):
        rewrite_cards(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_no_path_of_this_machine_and_no_time_is_in_it(pristine: Path) -> None:
    text = (pristine / CROISSANT).read_text() + (pristine / CARD).read_text()
    assert str(pristine.parent) not in text
    assert "datePublished" not in json.loads((pristine / CROISSANT).read_text())
