"""Every file of a copy is a row, a reject with its reason, or ignored by a rule that is counted."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.layout_copies import COPIES, choices_of

from ferdata import ingesters
from ferdata.core.errors import TooManyRejectsError
from ferdata.core.manifest import Manifest
from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.tree import FileTree
from ferdata.ingesters.walk import MAX_DEPTH

UNDECODABLE = (".heic", ".HEIF", ".jxl", ".dng")
IMAGES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff")


def files_below(root: Path) -> Iterator[Path]:
    """Yield all files and, each as one, links to folders."""
    for folder, names, files in os.walk(root):
        yield from (Path(folder, name) for name in files)
        yield from (Path(folder, name) for name in names if Path(folder, name).is_symlink())


def accounted(manifest: Manifest) -> int:
    """Return the number of files that a manifest accounts for: named, read or ignored."""
    uris = [*manifest.column("uri"), *(reject.uri for reject in manifest.rejects)]
    named = {uri.partition("#")[0] for uri in uris if uri}
    said = manifest.provenance["ingest"]
    return len(named) + said["read"] + sum(said["ignored"].values())


@pytest.mark.parametrize(("name", "layout"), COPIES)
def test_rows_rejects_and_ignored_files_are_all_files(
    name: str, layout: str, copies: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    root = tmp_path / copies[name, layout].name
    shutil.copytree(copies[name, layout], root)
    codes = choices_of(name, layout)
    before = ingesters.ingest(name, root, **codes)
    base = before.roots[name]
    assert accounted(before) == len(list(files_below(base)))

    images = sorted(path for path in files_below(base) if path.suffix.lower() in IMAGES)
    beside = images[len(images) // 2].parent if images else base
    plant_strays(beside, images)
    (base / "linked").symlink_to(beside, target_is_directory=True)
    after = ingesters.ingest(name, root, **codes)
    assert after.roots[name] == base
    assert accounted(after) == len(list(files_below(base)))
    ignored = after.provenance["ingest"]["ignored"]
    assert ignored["links to folders that are listed elsewhere"] == 1
    assert ignored["thumbnails of a network drive (@eaDir)"] == 1
    assert ignored["hidden files (names with a leading dot)"] >= 2
    assert "label lists and tables" not in ignored
    reasons = {Path(reject.uri).suffix: reject.reason for reject in after.rejects}
    for ending in UNDECODABLE:
        assert f".{ending[1:].lower()} files" not in ignored
        assert reasons[ending].startswith("image format: ")
        assert "can't be decoded here; " in reasons[ending]
    assert "pip install pillow-heif" in reasons[".heic"]
    rows = set(zip(before.column("sample_id"), before.column("label"), strict=True))
    assert rows <= set(zip(after.column("sample_id"), after.column("label"), strict=True))
    if sys.platform == "linux":
        assert any("not UTF-8" in reject.reason for reject in after.rejects)


def plant_strays(folder: Path, images: list[Path]) -> None:
    """Put what lies between images into a folder: foreign images, other formats, litter."""
    pixels = np.random.default_rng(0).integers(0, 255, (48, 48, 3), np.uint8)
    for foreign in ("holiday.jpg", "aug_flip_0.png", "DSC_0001.JPG", "figure.webp"):
        cv2.imwrite(str(folder / foreign), pixels)
    for other in UNDECODABLE:
        (folder / f"IMG_1{other}").write_bytes(b"\0")
    if images:
        shutil.copy(images[0], folder / f"{images[0].stem} (1){images[0].suffix}")
    thumbnail = folder / "@eaDir" / "x" / "THUMB.jpg"
    thumbnail.parent.mkdir(parents=True)
    for path in (thumbnail, folder / "Thumbs.db", folder / "._a.jpg", folder / "README"):
        path.write_bytes(b"\0")
    checkpoint = folder / ".ipynb_checkpoints" / "a-checkpoint.jpg"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"\0")
    if sys.platform == "linux":
        Path(os.fsdecode(os.fsencode(folder) + b"/stra\xdfe.jpg")).write_bytes(b"\0")


def test_a_copy_of_which_no_row_can_be_used_is_refused(tmp_path: Path) -> None:
    root = write_demo("rafdb", tmp_path / "raf", layout="kaggle", scale=0.001, quiet=True).root
    for path in root.rglob("*.jpg"):
        path.unlink()
    folder = next(path for path in root.rglob("1") if path.is_dir())
    pixels = np.zeros((100, 100, 3), np.uint8)
    cv2.imwrite(str(folder / "train_90001_aligned.jpg"), pixels)
    with pytest.raises(TooManyRejectsError, match="no row can be used") as caught:
        ingesters.ingest("rafdb", root)
    assert caught.value.exit_code == 1


def test_real_folders_come_before_links(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "1.jpg").write_bytes(b"")
    (tmp_path / "a").symlink_to(tmp_path / "z", target_is_directory=True)
    tree = FileTree.scan(tmp_path)
    assert tree.files == ("z/1.jpg",)
    assert tree.litter == (("a", "links to folders that are listed elsewhere"),)


def test_folders_that_are_too_far_down_are_named(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * (MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    (deep / "1.jpg").write_bytes(b"")
    (tmp_path / "0.jpg").write_bytes(b"")
    tree = FileTree.scan(tmp_path)
    assert tree.files == ("0.jpg",)
    ((path, reason),) = tree.unusable
    assert path == "/".join(["d"] * (MAX_DEPTH + 1))
    assert "not searched" in reason


def test_parts_of_a_tree_keep_their_litter(tmp_path: Path) -> None:
    for path in ("x/1.jpg", "x/Thumbs.db", "y/2.jpg", "y/desktop.ini", ".DS_Store"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    part = FileTree.scan(tmp_path).below("x")
    assert part.files == ("1.jpg",)
    assert part.litter == (("Thumbs.db", "thumbnail caches (Thumbs.db)"),)
