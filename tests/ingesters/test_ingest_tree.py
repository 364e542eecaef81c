from __future__ import annotations

from pathlib import Path

import pytest
from support.rafdb_trees import write_text

from ferdata.core.errors import LayoutError
from ferdata.ingesters.tree import FileTree


def test_junk_is_not_listed_and_loops_end(tmp_path: Path) -> None:
    for path in ("a/b/1.jpg", "a/.DS_Store", "__MACOSX/a/b/1.jpg", "a/._1.jpg", "z.txt"):
        write_text(tmp_path / path, "x")
    (tmp_path / "a/loop").symlink_to(tmp_path, target_is_directory=True)
    tree = FileTree.scan(tmp_path)
    assert tree.files == ("a/b/1.jpg", "z.txt")
    assert tree.below("a").files == ("b/1.jpg",)
    assert tree.below("a").root == tmp_path / "a"


def test_depth_is_bounded(tmp_path: Path) -> None:
    write_text(tmp_path / "/".join("abcdefgh") / "in.jpg", "x")
    write_text(tmp_path / "/".join("abcdefghi") / "out.jpg", "x")
    assert FileTree.scan(tmp_path).files == ("a/b/c/d/e/f/g/h/in.jpg",)


def test_names_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    try:
        (tmp_path / "caf\udce9").mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(LayoutError, match="not UTF-8; rename it"):
        FileTree.scan(tmp_path)
