"""Building: exact counts, sound splits, the same bytes always, going on after a kill."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest

from ferdata.core.errors import BuildError, LockedError, TooManyRejectsError
from ferdata.core.files import read_json
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import load_rejects
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.record import BuildRecord
from ferdata.shards.render import render_row
from ferdata.shards.verify import verify

OPTIONS = BuildOptions(augment="balance", landmarks="none", size=64, shard_bytes=1_000_000)
SERIAL = Execution(executor="serial", quiet=True)


def hashes(out: Path) -> dict[str, str]:
    """Hash every file of a build but the lock."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def finished(demo_rafdb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished balanced build; never write into it."""
    out = tmp_path_factory.mktemp("build") / "rafdb"
    build_shards("rafdb", demo_rafdb, out, OPTIONS, SERIAL)
    return out


def test_every_class_of_train_is_raised_to_the_largest(finished: Path) -> None:
    record = read_json(finished / "build.json")
    before, after = record["summary"]["before"]["train"], record["summary"]["after"]["train"]
    assert len(set(after.values())) == 1
    assert set(after.values()) == {max(before.values())}
    stored = Counter()
    for name in record["splits"]["train"]["shards"]:
        with h5py.File(finished / name) as file:
            stored.update(np.array(record["label_space"]["names"])[file["label"][:]].tolist())
    assert dict(stored) == after


def test_only_train_is_augmented_and_no_picture_is_in_two_splits(finished: Path) -> None:
    frame = Manifest.load(finished / "manifest.parquet").to_pandas()
    assert set(frame[frame.parent_id.notna()].split) == {"train"}
    assert frame.groupby("pixel_sha256").split.nunique().max() == 1
    assert set(frame.split) == {"train", "validation", "test"}


def test_rows_in_are_rows_out_plus_rejects(finished: Path, demo_rafdb: Path) -> None:
    listed = (demo_rafdb / "basic/EmoLabel/list_patition_label.txt").read_text().split("\n")
    frame = Manifest.load(finished / "manifest.parquet").to_pandas()
    originals = frame[frame.parent_id.isna()]
    assert len(originals) + len(load_rejects(finished / "rejects.parquet")) == len(listed)


def test_verify_is_clean(finished: Path) -> None:
    assert not verify(finished, quiet=True).findings


def test_shards_are_cut_by_bytes(finished: Path) -> None:
    shards = read_json(finished / "plan.json")["shards"]
    assert len([shard for shard in shards if shard["split"] == "train"]) > 1
    assert all(shard["rows"] * 64 * 64 * 3 <= 1_000_000 for shard in shards)


@pytest.mark.parametrize("kind", ["image", "copy"])
def test_a_row_alone_renders_to_the_stored_pixels(
    finished: Path, demo_rafdb: Path, kind: str
) -> None:
    manifest = Manifest.load(finished / "manifest.parquet", roots={"rafdb": demo_rafdb / "basic"})
    alignment = BuildRecord.open(finished).alignment
    with h5py.File(sorted(finished.glob("hdf5/train-*.h5"))[0]) as file:
        ids = file["sample_id"].asstr()[:]
        parents = file["parent_id"].asstr()[:]
        wanted = [i for i, parent in enumerate(parents) if bool(parent) == (kind == "copy")][:20]
        assert wanted
        for index in wanted:
            rendered = render_row(manifest, ids[index], "five", OPTIONS, alignment)
            np.testing.assert_array_equal(rendered.pixels, file["image"][index])


@pytest.mark.parametrize(
    "execution",
    [
        Execution(workers=1, quiet=True),
        Execution(workers=2, quiet=True),
        Execution(workers=2, executor="dask", quiet=True),
    ],
    ids=["one", "two", "dask"],
)
def test_same_bytes_whatever_the_workers_and_the_place(
    finished: Path, demo_rafdb: Path, tmp_path: Path, execution: Execution
) -> None:
    data = tmp_path / "moved données" / "rafdb"
    shutil.copytree(demo_rafdb, data)
    build_shards("rafdb", data, tmp_path / "out", OPTIONS, execution)
    assert hashes(tmp_path / "out") == hashes(finished)


def test_another_seed_gives_other_bytes(finished: Path, demo_rafdb: Path, tmp_path: Path) -> None:
    build_shards("rafdb", demo_rafdb, tmp_path, OPTIONS.model_copy(update={"seed": 1}), SERIAL)
    mine, theirs = read_json(tmp_path / "plan.json"), read_json(finished / "plan.json")
    assert mine["sha256"] != theirs["sha256"]


def test_rerun_renders_nothing(
    finished: Path, demo_rafdb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("rendered again")

    monkeypatch.setattr("ferdata.shards.shard.render", refuse)
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*.h5")}
    report = build_shards("rafdb", demo_rafdb, finished, OPTIONS, SERIAL)
    assert report.already_done
    assert before == {path: path.stat().st_mtime_ns for path in finished.rglob("*.h5")}


SCRIPT = """
import sys
from pathlib import Path
from ferdata.shards import BuildOptions, Execution, build_shards

if __name__ == "__main__":
    options = BuildOptions.model_validate_json(sys.argv[3])
    execution = Execution(quiet=True, workers=2)
    build_shards("rafdb", Path(sys.argv[1]), Path(sys.argv[2]), options, execution)
"""


def test_going_on_after_kill_gives_the_same_bytes(demo_rafdb: Path, tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"shard_bytes": 200_000})
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    out = tmp_path / "killed"
    command = [sys.executable, script, demo_rafdb, out, options.model_dump_json()]
    with subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": "1"}) as process:
        wait_for(lambda: list(out.glob("hdf5/*.h5.json")), process)
        process.send_signal(signal.SIGKILL)
    assert not (out / "build.json").exists()
    done = {path: path.stat().st_mtime_ns for path in out.glob("hdf5/*.json")}
    assert done
    time.sleep(0.5)  # workers notice that their parent is gone
    build_shards("rafdb", demo_rafdb, out, options, SERIAL)
    build_shards("rafdb", demo_rafdb, tmp_path / "whole", options, SERIAL)
    assert hashes(out) == hashes(tmp_path / "whole")
    first = min(done, key=done.__getitem__)
    assert first.stat().st_mtime_ns == done[first], "a finished shard was built again"


def wait_for(condition, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_damaged_shard_is_set_aside_and_built_again(
    finished: Path, demo_rafdb: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    shard = out / "hdf5" / "test-00000-of-00001.h5"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    build_shards("rafdb", demo_rafdb, out, OPTIONS, SERIAL)
    assert (out / "quarantine" / shard.name).read_bytes() == bytes(data)
    shutil.rmtree(out / "quarantine")
    assert hashes(out) == hashes(finished)


def test_other_options_in_the_same_directory(
    finished: Path, demo_rafdb: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    other = OPTIONS.model_copy(update={"size": 48})
    with pytest.raises(BuildError, match=r"another build: --size: 64 there, 48 now.*--overwrite"):
        build_shards("rafdb", demo_rafdb, out, other, SERIAL)
    assert hashes(out) == hashes(finished)
    build_shards(
        "rafdb", demo_rafdb, out, other, Execution(executor="serial", quiet=True, overwrite=True)
    )
    assert not verify(out, quiet=True).findings


def test_two_builds_of_one_directory_exclude_each_other(demo_rafdb: Path, tmp_path: Path) -> None:
    from ferdata.shards.runner import lock

    with lock(tmp_path), pytest.raises(LockedError, match="is running here"):
        build_shards("rafdb", demo_rafdb, tmp_path, OPTIONS, SERIAL)


def test_image_that_breaks_after_inspection_is_a_reject(
    demo_rafdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is made, then a file goes: its rows are left out, and everything says so."""
    import ferdata.shards.pipeline as stages

    data = tmp_path / "data"
    shutil.copytree(demo_rafdb, data)
    make_plan = stages.make_plan

    def lose_a_file(manifest: Manifest, options: BuildOptions):
        (data / "basic" / manifest.column("uri")[0]).unlink()
        return make_plan(manifest, options)

    monkeypatch.setattr(stages, "make_plan", lose_a_file)
    report = build_shards("rafdb", data, tmp_path / "out", OPTIONS, SERIAL)
    rejects = [r for r in load_rejects(tmp_path / "out/rejects.parquet") if r.stage == "build"]
    assert rejects and {reject.reason for reject in rejects} == {"file is missing"}
    assert len({reject.uri for reject in rejects}) == 1
    assert report.record.rejects.by_stage["build"] == len(rejects)
    assert not verify(tmp_path / "out", quiet=True).findings


def test_too_many_rejects_stop_the_build(demo_rafdb: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(demo_rafdb, data)
    for path in sorted(data.rglob("*_aligned.jpg"))[::5]:
        path.write_bytes(b"")
    with pytest.raises(TooManyRejectsError, match=r"empty.*--max-reject-rate"):
        build_shards("rafdb", data, tmp_path / "out", OPTIONS, SERIAL)
    assert load_rejects(tmp_path / "out" / "rejects.parquet")
    build_shards(
        "rafdb", data, tmp_path / "out", OPTIONS.model_copy(update={"max_reject_rate": 0.5}), SERIAL
    )


def test_a_stopped_rerun_leaves_the_finished_build_whole(
    finished: Path, demo_rafdb: Path, tmp_path: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    shutil.copytree(demo_rafdb, data)
    shutil.copytree(finished, out)
    for path in sorted(data.rglob("*_aligned.jpg"))[::5]:
        path.write_bytes(b"")
    with pytest.raises(TooManyRejectsError, match=r"rejects-stopped\.parquet"):
        build_shards("rafdb", data, out, OPTIONS, SERIAL)
    assert load_rejects(out / "rejects-stopped.parquet")
    assert not verify(out, quiet=True).findings


@pytest.mark.parametrize("encoding", ["jpeg", "png"])
@pytest.mark.parametrize("color", ["rgb", "gray"])
def test_encodings_and_colors(demo_rafdb: Path, tmp_path: Path, encoding: str, color: str) -> None:
    options = OPTIONS.model_copy(update={"encoding": encoding, "color": color, "augment": "none"})
    report = build_shards("rafdb", demo_rafdb, tmp_path, options, SERIAL)
    assert report.record.image.channels == (1 if color == "gray" else 3)
    assert not verify(tmp_path, quiet=True).findings


def test_hugging_face_dataset_opens_without_the_sources(
    demo_rafdb: Path, tmp_path: Path, finished: Path
) -> None:
    import datasets

    opened = datasets.load_dataset(str(finished / "hf"), cache_dir=str(tmp_path / "cache"))
    record = read_json(finished / "build.json")
    assert {split: len(rows) for split, rows in opened.items()} == {
        split: facts["rows"] for split, facts in record["splits"].items()
    }
    with h5py.File(finished / "hdf5" / "test-00000-of-00001.h5") as file:
        for index in (0, 5, 11):
            row = opened["test"][index]
            assert row["sample_id"] == file["sample_id"].asstr()[index]
            np.testing.assert_array_equal(np.asarray(row["image"]), file["image"][index])
            name = opened["test"].features["label"].int2str(row["label"])
            assert name == record["label_space"]["names"][file["label"][index]]


def test_record_holds_no_path_and_no_time(finished: Path, demo_rafdb: Path) -> None:
    text = json.dumps(read_json(finished / "build.json")) + json.dumps(
        read_json(finished / "plan.json")
    )
    assert str(finished.parent) not in text
    assert str(demo_rafdb.parent) not in text
    assert time.strftime("%Y-%m-%d") not in text
