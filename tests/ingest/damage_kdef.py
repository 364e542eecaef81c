"""Damages of KDEF's copies. File names are the lists: no header, no order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from damage import FEWER, SAME, Damage


def first(pattern: str) -> Callable[[Path], Path]:
    return lambda root: min(root.rglob(pattern))


def damage(pattern: str, code: Callable[[Path], str], kind: str) -> Damage:
    find = first(pattern)

    def rename(root: Path) -> None:
        path = find(root)
        target = (path.parent / code(path)).resolve()
        target.parent.mkdir(exist_ok=True)
        path.rename(target)

    return Damage(
        wrong_header=None,
        missing_file=(lambda root: find(root).unlink(), FEWER),
        extra_file=(lambda root: find(root).with_name("holiday.txt").write_text("x"), SAME),
        shuffled_order=None,
        wrong_code=(rename, kind),
    )


DAMAGE = {
    "official": damage("*ANS.JPG", lambda path: path.name.replace("ANS", "XXS"), "file name"),
    "class-folders": damage(
        "*ANS.JPG", lambda path: f"../boredom/{path.name}", "label folder boredom"
    ),
    "kaggle": damage("*_2.jpg", lambda path: f"../boredom/{path.name}", "label folder boredom"),
}
