"""Damages of CK+'s copies."""

from __future__ import annotations

from pathlib import Path

from support.damage.base import (
    ERROR,
    FEWER,
    SAME,
    Damage,
    add,
    edit,
    first,
    header,
    move,
    recode_array,
    remove,
    to_class,
)

TABLE = "ckextended.csv"
EMOTION, CROP = first("*_emotion.txt"), first("CK+48/anger/*.png")


def remove_sequence(root: Path) -> None:
    sequence = EMOTION(root).parent.relative_to(root / "Emotion")
    for path in (root / "cohn-kanade-images" / sequence).iterdir():
        path.unlink()


def wrong_code(lines: list[str]) -> list[str]:
    """Give the first row that is read another code: by default neutral rows are not."""
    row = next(n for n, line in enumerate(lines[1:], 1) if not line.startswith("6,"))
    return [*lines[:row], "9" + lines[row][1:], *lines[row + 1 :]]


DAMAGE = {
    "official": Damage(
        missing_file=(remove_sequence, "missing image"),
        extra_file=(add(EMOTION, "notes.txt"), SAME),
        wrong_code=(lambda root: EMOTION(root).write_text("   9.0000000e+00\n"), "label code 9"),
    ),
    "ck48": Damage(
        missing_file=(remove(CROP), FEWER),
        extra_file=(add(CROP, "holiday.png"), SAME),
        wrong_code=(move(CROP, to_class("boredom")), "label folder boredom"),
    ),
    "arrays": Damage(
        missing_file=(remove(first("CK_data.h5")), ERROR),
        extra_file=(add(first("CK_data.h5"), "notes.txt"), SAME),
        wrong_code=(recode_array("CK_data.h5", "data_label"), "label 77"),
    ),
    "ckextended": Damage(  # ids are positions, so another order is another set
        wrong_header=(edit(TABLE, header("a,b,c")), ERROR),
        missing_file=(remove(first(TABLE)), ERROR),
        extra_file=(add(first(TABLE), "notes.csv"), SAME),
        wrong_code=(edit(TABLE, wrong_code), "label code 9"),
    ),
}
