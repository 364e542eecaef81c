"""Damages of RAF-DB's copies."""

from __future__ import annotations

from support.damage.base import (
    ERROR,
    SAME,
    Damage,
    add,
    edit,
    first,
    header,
    line,
    remove,
    reverse,
)

KAGGLE, KAGGLE_LIST = first("DATASET/train/*/*.jpg"), "train_labels.csv"


def official(part: str) -> Damage:
    """Return the damages of an official tree."""
    image, labels = first("Image/aligned/*"), f"{part}/EmoLabel/list_patition_label.txt"
    return Damage(
        missing_file=(remove(image), "missing image"),
        extra_file=(add(image, "train_99999_aligned.jpg"), SAME),
        shuffled_order=(edit(labels, lambda lines: lines[::-1]), SAME),
        wrong_code=(edit(labels, line(0, lambda row: f"{row[:-1]}99")), "label code 99"),
    )


DAMAGE = {
    "official": official("basic"),
    "kaggle": Damage(
        wrong_header=(edit(KAGGLE_LIST, header("a,b")), ERROR),
        missing_file=(remove(KAGGLE), "missing image"),
        extra_file=(add(KAGGLE, "train_99999_aligned.jpg"), SAME),
        shuffled_order=(edit(KAGGLE_LIST, reverse), SAME),
        wrong_code=(
            edit(KAGGLE_LIST, line(1, lambda row: f"{row.partition(',')[0]},9")),
            "label code 9",
        ),
    ),
}
