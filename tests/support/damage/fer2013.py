"""Damages of FER2013's copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.damage.base import ERROR, FEWER, SAME, Damage, edit_lines


def in_table(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    return lambda root: edit_lines(root / name, change)


def table(name: str) -> Damage:
    """Return the damages of a csv; a row is known by its position, so the order must not change."""
    return Damage(
        wrong_header=(in_table(name, lambda lines: ["a,b,c", *lines[1:]]), ERROR),
        missing_file=(lambda root: (root / name).unlink(), ERROR),
        extra_file=(lambda root: (root / "notes.csv").write_text("a,b\n1,2\n"), SAME),
        shuffled_order=None,  # ids are positions: another order is another set
        wrong_code=(
            in_table(name, lambda lines: [lines[0], f"9{lines[1][1:]}", *lines[2:]]),
            "label code 9",
        ),
    )


def folders(pattern: str) -> Damage:
    def find(root: Path) -> Path:
        return min(root.rglob(pattern))

    def foreign(root: Path) -> None:
        path = find(root)
        folder = path.parents[1] / "boredom"
        folder.mkdir()
        path.rename(folder / path.name)

    return Damage(
        wrong_header=None,
        missing_file=(lambda root: find(root).unlink(), FEWER),
        extra_file=(lambda root: find(root).with_name("notes.txt").write_text("x"), SAME),
        shuffled_order=None,
        wrong_code=(foreign, "label folder boredom"),
    )


DAMAGE = {
    "csv": table("fer2013.csv"),
    "icml": table("icml_face_data.csv"),
    "kaggle": folders("angry/Training_*.jpg"),
    "class-folders": folders("angry/*.jpg"),
}
