"""Damages of JAFFE's copies. File names are the lists: no order; only the readme has a header."""

from __future__ import annotations

from pathlib import Path

from support.damage.base import ERROR, FEWER, SAME, Damage, edit_lines


def _official(root: Path) -> Path:
    return min(root.rglob("*.AN1.*.tiff"))


def _in_class_folders(root: Path) -> Path:
    return min(root.rglob("*.AN1.*.jpg"))


def _unknown_letters(root: Path) -> None:
    path = _official(root)
    path.rename(path.with_name(path.name.replace("AN", "XX")))


def _wrong_folder(root: Path) -> None:
    path = _in_class_folders(root)
    path.rename(path.parents[1] / "happy" / path.name)


def _other_columns(root: Path) -> None:
    edit_lines(
        root / "README_FIRST.txt",
        lambda lines: [line.replace("HAP SAD", "JOY SAD") for line in lines],
    )


DAMAGE = {
    "official": Damage(
        wrong_header=(_other_columns, ERROR),
        missing_file=(lambda root: _official(root).unlink(), FEWER),
        extra_file=(lambda root: _official(root).with_name("IMG_1.png").write_bytes(b"x"), SAME),
        shuffled_order=None,  # no lists
        wrong_code=(_unknown_letters, "file name"),
    ),
    "class-folders": Damage(
        wrong_header=None,  # no lists
        missing_file=(lambda root: _in_class_folders(root).unlink(), FEWER),
        extra_file=(
            lambda root: _in_class_folders(root).with_name("IMG_1.png").write_bytes(b"x"),
            SAME,
        ),
        shuffled_order=None,  # no lists
        wrong_code=(_wrong_folder, "folder and name disagree"),
    ),
}
