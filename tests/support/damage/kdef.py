"""Damages of KDEF's copies. File names are the lists: no header, no order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.damage.base import FEWER, SAME, Damage


def damage(pattern: str, wrong: Callable[[Path], Path], kind: str) -> Damage:
    """Return the damages of a layout.

    Args:
        pattern: Finds frontal pictures.
        wrong: Where one of them goes, so that its code is unknown.
        kind: Of the reject.
    """

    def find(root: Path) -> Path:
        return min(root.rglob(pattern))

    def rename(root: Path) -> None:
        path = find(root)
        target = wrong(path)
        target.parent.mkdir(exist_ok=True)
        path.rename(target)

    return Damage(
        wrong_header=None,  # no lists
        missing_file=(lambda root: find(root).unlink(), FEWER),
        extra_file=(lambda root: find(root).with_name("holiday.jpg").write_bytes(b"x"), SAME),
        shuffled_order=None,  # no lists
        wrong_code=(rename, kind),
    )


def boredom(path: Path) -> Path:
    return path.parents[1] / "boredom" / path.name


DAMAGE = {
    "official": damage(
        "KDEF/*/*ANS.JPG",
        lambda path: path.with_name(path.name.replace("ANS", "XXS")),
        "file name",
    ),
    "class-folders": damage("*ANS.JPG", boredom, "label folder boredom"),
    "kaggle": damage("*_2.jpg", boredom, "label folder boredom"),
}
