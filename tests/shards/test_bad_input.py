"""Bad input: every broken image becomes a reject row with its reason; nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferdata.core.errors import BuildError, FerdataError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import load_rejects
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.summary import summary
from ferdata.shards.verify import verify

OPTIONS = BuildOptions(landmarks="none", size=32, max_reject_rate=0.5)
SERIAL = Execution(executor="serial", quiet=True)
LIST = "basic/EmoLabel/list_patition_label.txt"


def image(suffix: str, picture: np.ndarray) -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


def half_written(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    data = image(".jpg", noise)
    path.write_bytes(data[: len(data) // 2] + b"\xff\xd9")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "missing"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:900]), "no end-of-image"),
    "zero bytes": (lambda path: path.write_bytes(b""), "empty"),
    "text": (lambda path: path.write_text("not a picture\n" * 50), "not an image"),
    "half-written": (half_written, "half-written"),
    "1×1": (lambda path: path.write_bytes(image(".jpg", np.zeros((1, 1, 3), np.uint8))), "1×1"),
}


@pytest.fixture
def data(demo_rafdb: Path, tmp_path: Path) -> Path:
    """Return a copy of the synthetic RAF-DB that a test may break."""
    return Path(shutil.copytree(demo_rafdb, tmp_path / "rafdb"))


def aligned(data: Path) -> list[Path]:
    return sorted(data.rglob("train_*_aligned.jpg"))


def stored_and_rejected(out: Path) -> tuple[set[str], dict[str, str]]:
    frame = Manifest.load(out / "manifest.parquet").to_pandas()
    rejects = {reject.sample_id: reject.reason for reject in load_rejects(out / "rejects.parquet")}
    return set(frame[frame.parent_id.isna()].sample_id), rejects


def test_every_broken_image_is_a_reject_with_its_reason(data: Path, tmp_path: Path) -> None:
    everything = {
        "rafdb/" + line.split()[0].removesuffix(".jpg")
        for line in (data / LIST).read_text().split("\n")
    }
    reasons = {}
    for path, (ruin, reason) in zip(aligned(data)[3:], BROKEN.values(), strict=False):
        ruin(path)
        reasons["rafdb/" + path.name.removesuffix("_aligned.jpg")] = reason
    build_shards("rafdb", data, tmp_path / "out", OPTIONS, SERIAL)
    stored, rejected = stored_and_rejected(tmp_path / "out")
    assert {name: rejected[name] for name in reasons}.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert reason in rejected[name], name
    assert stored | set(rejected) == everything
    assert not stored & set(rejected)
    assert not verify(tmp_path / "out", quiet=True).findings


def test_unusual_images_are_read(data: Path, tmp_path: Path) -> None:
    """A 16-bit PNG under a .jpg name and a gray JPEG are images all the same."""
    deep, gray = aligned(data)[:2]
    picture = cv2.imread(str(deep))
    deep.write_bytes(image(".png", picture.astype(np.uint16) * 256))
    gray.write_bytes(image(".jpg", cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)))
    build_shards("rafdb", data, tmp_path / "out", OPTIONS, SERIAL)
    frame = Manifest.load(tmp_path / "out/manifest.parquet").to_pandas().set_index("uri")
    channels = {name: int(row.channels) for name, row in frame.iterrows()}
    assert channels["Image/aligned/" + gray.name] == 1
    assert channels["Image/aligned/" + deep.name] == 3


def test_images_that_look_unusual_are_kept_and_counted(data: Path, tmp_path: Path) -> None:
    """Data behind a JPEG's end, bars, darkness: findings, in the manifest and in what is told."""
    motion, gray, dark = aligned(data)[:3]
    motion.write_bytes(motion.read_bytes() + b"MotionPhoto_Data\xff\xda" * 999)
    pixels = cv2.imread(str(gray))
    pixels[60:] = 128
    gray.write_bytes(image(".jpg", pixels))
    dark.write_bytes(image(".jpg", cv2.imread(str(dark)) // 10))
    out = tmp_path / "out"
    report = build_shards("rafdb", data, out, OPTIONS, SERIAL)
    frame = Manifest.load(out / "manifest.parquet").to_pandas().set_index("uri")["quality"]
    found = {path.name: list(frame["Image/aligned/" + path.name]) for path in (motion, gray, dark)}
    assert found[motion.name] == []
    assert [each.partition(":")[0] for each in found[gray.name]] == ["partly-uniform"]
    assert [each.partition(":")[0] for each in found[dark.name]] == ["dark"]
    assert report.record.summary.quality == {"partly-uniform": 1, "dark": 1}
    assert report.record.rejects.total == 0
    assert "1 × dark: hardly any light" in summary(report.record, out)
    assert "| dark | hardly any light | 1 |" in (out / "hf" / "README.md").read_text()


def test_blank_images_are_kept_on_request(data: Path, tmp_path: Path) -> None:
    aligned(data)[0].write_bytes(image(".png", np.zeros((100, 100, 3), np.uint8)))
    rejected = build_shards("rafdb", data, tmp_path / "out", OPTIONS, SERIAL)
    assert rejected.record.rejects.by_reason == {"faces": {"blank image": 1}}
    keep = OPTIONS.model_copy(update={"blank": "keep"})
    kept = build_shards("rafdb", data, tmp_path / "kept", keep, SERIAL)
    assert kept.record.rejects.total == 0
    assert kept.record.summary.quality == {"blank": 1}
    assert not verify(tmp_path / "kept", quiet=True).findings


def edit_list(data: Path, edit: Callable[[list[str]], list[str]]) -> None:
    path = data / LIST
    path.write_text("\n".join(edit(path.read_text().split("\n"))))


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda lines: [*lines[:4], lines[4][:-1] + "9", *lines[5:]], "label code 9"),
        (lambda lines: [*lines[:4], "", *lines[4:]], "blank"),
        (lambda lines: [*lines[:4], lines[0], *lines[4:]], "train_00001"),
        (lambda lines: [*lines[:4], "../../secret.jpg 3", *lines[4:]], ".."),
    ],
    ids=["code 9", "blank line", "duplicate", "dots"],
)
def test_bad_lines_of_the_list_are_rejects(
    data: Path, tmp_path: Path, edit: Callable[[list[str]], list[str]], reason: str
) -> None:
    edit_list(data, edit)
    build_shards("rafdb", data, tmp_path / "out", OPTIONS, SERIAL)
    rejects = load_rejects(tmp_path / "out" / "rejects.parquet")
    found = [reject for reject in rejects if reject.stage == "ingest"]
    assert len(found) == 1
    assert reason in found[0].reason + found[0].uri + found[0].sample_id


def test_exact_duplicate_across_splits_costs_the_train_copy(data: Path, tmp_path: Path) -> None:
    test_image = sorted(data.rglob("test_*_aligned.jpg"))[0]
    twin = aligned(data)[0]
    twin.write_bytes(image(".png", cv2.imread(str(test_image))))  # same pixels, other file
    build_shards("rafdb", data, tmp_path / "out", OPTIONS, SERIAL)
    stored, rejected = stored_and_rejected(tmp_path / "out")
    assert "rafdb/train_00001" in rejected and "rafdb/test_0001" in stored
    assert "rafdb/test_0001" in rejected["rafdb/train_00001"]
    keep = OPTIONS.model_copy(update={"duplicates": "keep"})
    build_shards("rafdb", data, tmp_path / "kept", keep, SERIAL)
    assert "rafdb/train_00001" in stored_and_rejected(tmp_path / "kept")[0]


@pytest.mark.parametrize("root", ["empty", "none", "file", "other"])
def test_wrong_root_is_a_clear_error(tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "other" / "KDEF").mkdir(parents=True)
    (tmp_path / "other" / "KDEF" / "AF01AFFL.JPG").write_bytes(b"x")
    with pytest.raises(FerdataError, match="rafdb|RAF-DB|" + root):
        build_shards("rafdb", tmp_path / root, tmp_path / "out", OPTIONS, SERIAL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MB; needs root."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("encoding", ["raw", "png"])
@pytest.mark.parametrize("formats", [("hdf5",), ("hf",)])
def test_full_disk(
    demo_rafdb: Path, small_disk: Path, encoding: str, formats: tuple[str, ...]
) -> None:
    """Raw size is known beforehand and refused; otherwise the write fails and says so."""
    options = OPTIONS.model_copy(update={"size": 256, "encoding": encoding, "formats": formats})
    with pytest.raises(BuildError, match=r"free|No space left|can't be written"):
        build_shards("rafdb", demo_rafdb, small_disk / "out", options, SERIAL)
    assert not list(small_disk.rglob("*.partial"))
    assert not (small_disk / "out" / "build.json").exists()


def test_output_that_can_not_be_a_folder(demo_rafdb: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(BuildError, match="can't be"):
        build_shards("rafdb", demo_rafdb, tmp_path / "taken" / "out", OPTIONS, SERIAL)


def test_a_folder_may_have_a_name_that_is_not_utf8(data: Path, tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        out.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    report = build_shards("rafdb", data, out, OPTIONS, SERIAL)
    assert report.record.splits
    assert verify(out, quiet=True).ok
    assert build_shards("rafdb", data, out, OPTIONS, SERIAL).already_done
