"""Damages of FER2013's copies."""

from __future__ import annotations

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
    recode_array,
    recode_parquet,
    remove,
    to_class,
)


def table(name: str) -> Damage:
    """Return the damages of a csv; a row is known by its position, so the order must not change."""
    return Damage(
        wrong_header=(edit(name, header("a,b,c")), ERROR),
        missing_file=(remove(first(name)), ERROR),
        extra_file=(add(first(name), "notes.csv"), SAME),
        wrong_code=(edit(name, line(1, lambda row: f"9{row[1:]}")), "label code 9"),
    )


def folders(pattern: str) -> Damage:
    image = first(pattern)
    return Damage(
        missing_file=(remove(image), FEWER),
        extra_file=(add(image, "notes.txt"), SAME),
        wrong_code=(move(image, to_class("boredom")), "label folder boredom"),
    )


DAMAGE = {
    "csv": table("fer2013.csv"),
    "icml": table("icml_face_data.csv"),
    "kaggle": folders("angry/Training_*.jpg"),
    "class-folders": folders("angry/*.jpg"),
    "train": table("train.csv"),
    "code-folders": Damage(
        missing_file=(remove(first("train/0/*.jpg")), FEWER),
        extra_file=(add(first("train/0/*.jpg"), "notes.txt"), SAME),
        wrong_code=(move(first("train/0/*.jpg"), to_class("9")), "label folder 9"),
    ),
    "arrays": Damage(
        missing_file=(remove(first("data.h5")), ERROR),
        extra_file=(add(first("data.h5"), "notes.txt"), SAME),
        wrong_code=(recode_array("data.h5", "Training_label"), "label 77"),
    ),
    "parquet": Damage(
        missing_file=(remove(first("data/test-*.parquet")), FEWER),
        extra_file=(add(first("data/*.parquet"), "notes.txt"), SAME),
        wrong_code=(recode_parquet("data/train-00000-of-00001.parquet"), "label 77"),
    ),
}
