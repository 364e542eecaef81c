"""Damages of CK+'s copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.damage.base import ERROR, FEWER, SAME, Damage, edit_lines

TABLE = "ckextended.csv"


def first(pattern: str) -> Callable[[Path], Path]:
    return lambda root: min(root.rglob(pattern))


EMOTION, CROP = first("*_emotion.txt"), first("CK+48/anger/*.png")


def remove_film(root: Path) -> None:
    film = EMOTION(root).parent.relative_to(root / "Emotion")
    for path in (root / "cohn-kanade-images" / film).iterdir():
        path.unlink()


def to_foreign_folder(root: Path) -> None:
    path = CROP(root)
    folder = path.parents[1] / "boredom"
    folder.mkdir()
    path.rename(folder / path.name)


def wrong_code(lines: list[str]) -> list[str]:
    """Give the first row that is read another code: neutral rows are not, by default."""
    row = next(n for n, line in enumerate(lines[1:], 1) if not line.startswith("6,"))
    return [*lines[:row], "9" + lines[row][1:], *lines[row + 1 :]]


DAMAGE = {
    "official": Damage(
        wrong_header=None,
        missing_file=(remove_film, "missing image"),
        extra_file=(
            lambda root: EMOTION(root).with_name("notes.txt").write_text("x"),
            SAME,
        ),
        shuffled_order=None,  # file names are the lists
        wrong_code=(lambda root: EMOTION(root).write_text("   9.0000000e+00\n"), "label code 9"),
    ),
    "ck48": Damage(
        wrong_header=None,
        missing_file=(lambda root: CROP(root).unlink(), FEWER),
        extra_file=(lambda root: CROP(root).with_name("holiday.png").write_bytes(b"x"), SAME),
        shuffled_order=None,
        wrong_code=(to_foreign_folder, "label folder boredom"),
    ),
    "ckextended": Damage(
        wrong_header=(lambda root: edit_lines(root / TABLE, lambda x: ["a,b,c", *x[1:]]), ERROR),
        missing_file=(lambda root: (root / TABLE).unlink(), ERROR),
        extra_file=(lambda root: (root / "notes.csv").write_text("a,b\n1,2\n"), SAME),
        shuffled_order=None,  # ids are positions
        wrong_code=(lambda root: edit_lines(root / TABLE, wrong_code), "label code 9"),
    ),
}
