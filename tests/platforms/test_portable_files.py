"""Files on Windows and macOS: names, line ends, open files, links between two of one name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.windows import keep_open_files, refuse_text_of_the_system, unportable

import ferdata
from ferdata.core.errors import BuildError
from ferdata.core.files import finish_atomically, write_json
from ferdata.deployment.images import collect_images
from ferdata.deployment.output import OutputFolder
from ferdata.ingesters.demo import write_demo
from ferdata.shards.verify import verify

SCALE = 0.0005  # an image or two of each class


@pytest.mark.parametrize("name", ["rafdb", "fer2013", "ferplus", "ckplus", "affectnet", "jaffe"])
def test_a_synthetic_copy_has_the_same_bytes_on_windows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_text_of_the_system(monkeypatch, tmp_path)
    root = write_demo(name, tmp_path / "copy", scale=SCALE, quiet=True).root
    assert unportable(path.relative_to(root).as_posix() for path in root.rglob("*")) == []


def test_a_build_has_the_same_bytes_on_windows_and_portable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_text_of_the_system(monkeypatch, tmp_path)
    demo = write_demo("rafdb", tmp_path / "demo", scale=SCALE, quiet=True).root
    options = {"landmarks": "none", "size": 32, "workers": 1, "quiet": True}
    build = ferdata.build("rafdb", demo, tmp_path / "out", **options)
    names = {path.relative_to(build.root).as_posix() for path in build.root.rglob("*")}
    assert unportable(names) == []
    assert not any("\\" in uri for uri in build.manifest.table["uri"].to_pylist())


def test_text_that_is_left_to_the_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulation itself."""
    refuse_text_of_the_system(monkeypatch, tmp_path)
    for options in ({}, {"encoding": "utf-8"}, {"newline": ""}):
        with pytest.raises(AssertionError, match="other bytes"):
            (tmp_path / "a.txt").write_text("a", **options)
    (tmp_path / "a.txt").write_text("a", encoding="utf-8", newline="")


@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed in /proc")
def test_no_file_is_replaced_or_removed_while_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = write_demo("rafdb", tmp_path / "demo", scale=SCALE, quiet=True).root
    out = tmp_path / "out"
    options = {"landmarks": "none", "workers": 1, "quiet": True, "report": False}
    with monkeypatch.context() as patch:
        keep_open_files(patch)
        built = ferdata.build("rafdb", demo, out, size=32, **options)
        next((out / "hdf5").glob("*.h5")).write_bytes(b"damaged")
        ferdata.build("rafdb", demo, out, size=32, **options)  # quarantined, and built again
        assert verify(out, quiet=True).ok
        read = built["train"]
        assert len(read[0]["image"])  # maps the shard
        with pytest.raises(BuildError, match=r"can't be removed .*close what has it open"):
            ferdata.build("rafdb", demo, out, size=48, overwrite=True, **options)
        del read
        ferdata.build("rafdb", demo, out, size=48, overwrite=True, **options)
        assert verify(out, quiet=True).ok


@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed in /proc")
def test_an_open_file_is_kept_as_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulation itself: what it must refuse, it refuses; and what comes of it is an error."""
    path = tmp_path / "record.json"
    write_json(path, 1)
    keep_open_files(monkeypatch)
    with path.open("rb"), pytest.raises(BuildError, match="in use by this process"):
        write_json(path, 2)
    write_json(path, 3)
    assert path.read_text(encoding="utf-8") == "3\n"


def test_annotated_images_of_names_that_differ_in_case_are_two_files(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("face.png", "Face.png", "FACE.jpg")]
    for file in files:
        Image.new("RGB", (8, 8)).save(file)
    images = list(
        collect_images([tmp_path / name for name in ("face.png", "Face.png", "FACE.jpg")])
    )
    with OutputFolder(tmp_path / "out", images, ("anger",)) as output:
        saved = [output.save(image, np.zeros((8, 8, 3), np.uint8)) for image in images]
    assert unportable(path.name for path in saved) == []
    assert len(list((tmp_path / "out").glob("*.png"))) == 3


def test_images_of_names_that_differ_in_case_are_two_rows(tmp_path: Path) -> None:
    copy = write_demo(
        "jaffe", tmp_path / "copy", layout="class-folders", scale=0.05, quiet=True
    ).root
    first = next(copy.rglob("*.tiff"), None) or next(copy.rglob("*.jpg"))
    pixels = first.read_bytes()
    first.with_name(first.name.swapcase()).write_bytes(pixels)
    manifest = ferdata.ingest("jaffe", copy)
    total = len(manifest) + len(manifest.rejects)
    assert total == len(list(copy.rglob(f"*{first.suffix}"))) + 1


@pytest.mark.skipif(sys.platform == "win32", reason="says so in other words")
@pytest.mark.parametrize("name", ["x" * 300, "y" * 250])
def test_a_name_that_is_too_long_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    with (
        pytest.raises(BuildError, match="can't be written: File name too long"),
        finish_atomically(tmp_path / name) as partial,
    ):
        partial.write_bytes(b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        (["out/con.png"], "device"),
        (["out/NUL"], "device"),
        (["a/lpt1.txt"], "device"),
        (["a:b.png"], "letters"),
        (["a./b"], "letters"),
        (["x" * 256], "bytes"),
        (["a/B.png", "A/b.png"], "case only"),
        (["a/" * 100 + "b"], "characters"),
    ],
)
def test_names_that_are_not_portable_are_known(paths: list[str], problem: str) -> None:
    assert problem in " ".join(unportable(paths))
    assert unportable(["a/console.png", "a/b.c.png", ".lock"]) == []
