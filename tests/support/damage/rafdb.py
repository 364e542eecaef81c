"""Damages of RAF-DB's copies."""

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
    line,
    move,
    recode_parquet,
    remove,
    reverse,
    to_class,
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


def folder(pattern: str) -> Damage:
    """Return the damages of class folders."""
    image = first(pattern)
    return Damage(
        missing_file=(remove(image), FEWER),
        extra_file=(add(image, "train_99999_aligned.txt"), SAME),
        wrong_code=(move(image, to_class("9")), WRONG_FOLDER[pattern.partition("/")[0]]),
    )


WRONG_FOLDER = {"train_set": "label folder 9", "*": "label 9"}


def renamed_label(path: Path) -> Path:
    """Return the path of a file whose name ends in another label."""
    return path.with_name(f"{path.stem[:-1]}9{path.suffix}")


DAMAGE = {
    "official": official("basic"),
    "imagefolder": folder("train_set/*/*.jpg"),
    "class-folders": folder("*/train_*.jpg"),
    "suffixed": Damage(
        missing_file=(remove(first("train/*.jpg")), FEWER),
        extra_file=(add(first("train/*.jpg"), "notes.txt"), SAME),
        wrong_code=(move(first("train/*.jpg"), renamed_label), "label 9"),
    ),
    "lists": Damage(
        missing_file=(remove(first("train/*.jpg")), "missing image"),
        extra_file=(add(first("train/*.jpg"), "train_99999_aligned.jpg"), SAME),
        shuffled_order=(edit("train.txt", lambda lines: lines[::-1]), SAME),
        wrong_code=(edit("train.txt", line(0, lambda row: f"{row[:-1]}99")), "label 99"),
    ),
    "parquet": Damage(
        missing_file=(remove(first("data/test-*.parquet")), FEWER),
        extra_file=(add(first("data/*.parquet"), "notes.txt"), SAME),
        wrong_code=(recode_parquet("data/train-00000-of-00001.parquet"), "label 77"),
    ),
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
