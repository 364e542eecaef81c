"""Damages of JAFFE's copies. File names are the lists: no header, no order."""

from __future__ import annotations

from pathlib import Path

from damage import FEWER, SAME, Damage


def damage(pattern: str, kind: str) -> Damage:
    def find(root: Path) -> Path:
        return min(root.rglob(pattern))

    def wrong_code(root: Path) -> None:
        path = find(root)
        if kind == "file name":
            path.rename(path.with_name(path.name.replace("AN", "XX")))
        else:
            path.rename(path.parents[1] / "happy" / path.name)

    return Damage(
        wrong_header=None,
        missing_file=(lambda root: find(root).unlink(), FEWER),
        extra_file=(lambda root: find(root).with_name("IMG_1.png").write_bytes(b"x"), SAME),
        shuffled_order=None,
        wrong_code=(wrong_code, kind),
    )


DAMAGE = {
    "official": damage("*.AN1.*.tiff", "file name"),
    "class-folders": damage("*.AN1.*.jpg", "folder and name disagree"),
}
