"""Damages of KDEF's copies."""

from __future__ import annotations

from support.damage.base import (
    FEWER,
    SAME,
    Damage,
    Find,
    add,
    first,
    move,
    remove,
    renamed,
    to_class,
)


def damage(pattern: str, wrong: Find, kind: str) -> Damage:
    """Return the damages of a layout, whose frontal images a pattern finds."""
    image = first(pattern)
    return Damage(
        missing_file=(remove(image), FEWER),
        extra_file=(add(image, "holiday.jpg"), SAME),
        wrong_code=(move(image, wrong), kind),
    )


DAMAGE = {
    "official": damage("KDEF/*/*ANS.JPG", renamed("ANS", "XXS"), "file name"),
    "class-folders": damage("*ANS.JPG", to_class("boredom"), "label folder boredom"),
    "kaggle": damage("*_2.jpg", to_class("boredom"), "label folder boredom"),
}
