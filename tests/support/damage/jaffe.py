"""Damages of JAFFE's copies."""

from __future__ import annotations

from support.damage.base import (
    ERROR,
    FEWER,
    SAME,
    Damage,
    add,
    edit,
    first,
    move,
    remove,
    renamed,
    to_class,
)

TIFF, JPEG = first("*.AN1.*.tiff"), first("*.AN1.*.jpg")

DAMAGE = {
    "official": Damage(
        wrong_header=(
            edit("README_FIRST.txt", lambda x: [each.replace("HAP SAD", "JOY SAD") for each in x]),
            ERROR,
        ),
        missing_file=(remove(TIFF), FEWER),
        extra_file=(add(TIFF, "IMG_1.png"), SAME),
        wrong_code=(move(TIFF, renamed("AN", "XX")), "file name"),
    ),
    "class-folders": Damage(
        missing_file=(remove(JPEG), FEWER),
        extra_file=(add(JPEG, "IMG_1.png"), SAME),
        wrong_code=(move(JPEG, to_class("happy")), "folder and name disagree"),
    ),
}
