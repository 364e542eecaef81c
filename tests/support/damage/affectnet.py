"""Damages of AffectNet's copies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

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

FULL, KAGGLE = "Manually_Annotated_file_lists/training.csv", "labels.csv"
SMALL, CROP, YOLO = first("train_set/images/*.jpg"), first("anger/*.jpg"), first("train/labels/*")


def recode_full(lines: list[str]) -> list[str]:
    """Give the first line with an expression a code that there is not."""
    row = next(n for n, text in enumerate(lines[1:], 1) if int(text.split(",")[6]) < 8)
    cells = lines[row].split(",")
    return line(row, lambda _: ",".join([*cells[:6], "77", *cells[7:]]))(lines)


def first_full(root: Path) -> Path:
    """Return the image of the first line with an expression."""
    rows = [row.split(",") for row in (root / FULL).read_text().splitlines()[1:]]
    return root / "Manually_Annotated_Images" / next(row[0] for row in rows if int(row[6]) < 8)


def plus_label(root: Path) -> Path:
    """Return the first annotation of an expression."""
    paths = sorted(root.rglob("train_set/annotations/*.json"))
    return next(path for path in paths if json.loads(path.read_text())["human-label"] < 8)


def plus_image(root: Path) -> Path:
    path = plus_label(root)
    return path.parents[1] / f"images/{path.stem}.jpg"


def recode_plus(root: Path) -> None:
    path = plus_label(root)
    path.write_text(json.dumps({**json.loads(path.read_text()), "human-label": 77}))


def recode_small(root: Path) -> None:
    np.save(first("train_set/annotations/*_exp.npy")(root), np.array("77"))


def bored(row: str) -> str:
    index, path, _, sure = row.split(",")
    return f"{index},{path},bored,{sure}"


CAGE = "train_set_annotation_without_lnd.csv"
FEWER_CAGE = "not in the list"
"""A list without its columns is none, so its images are in no list."""


def recode_cage(row: str) -> str:
    number, _, valence, arousal = row.split(",")
    return f"{number},77,{valence},{arousal}"


DAMAGE = {
    "full": Damage(
        wrong_header=(edit(FULL, line(0, lambda row: row.replace("arousal", "x"))), ERROR),
        missing_file=(remove(first_full), "missing image"),
        extra_file=(add(first_full, "extra.jpg"), SAME),
        shuffled_order=(edit(FULL, reverse), SAME),
        wrong_code=(edit(FULL, recode_full), "label code 77"),
    ),
    "small": Damage(
        missing_file=(remove(SMALL), "missing image"),
        extra_file=(add(SMALL, "999999.jpg"), SAME),
        wrong_code=(recode_small, "label code 77"),
    ),
    "plus": Damage(
        missing_file=(remove(plus_image), "missing image"),
        extra_file=(add(plus_image, "999999.jpg"), SAME),
        wrong_code=(recode_plus, "label code 77"),
    ),
    "kaggle": Damage(
        wrong_header=(edit(KAGGLE, header("a,b,c,d")), ERROR),
        missing_file=(remove(CROP), "missing image"),
        extra_file=(add(first(KAGGLE), "extra.jpg"), SAME),
        shuffled_order=(edit(KAGGLE, reverse), SAME),
        wrong_code=(edit(KAGGLE, line(1, bored)), "label bored"),
    ),
    "code-folders": Damage(
        missing_file=(remove(first("train/*/*.jpg")), FEWER),
        extra_file=(add(first("train/*/*.jpg"), "notes.txt"), SAME),
        wrong_code=(move(first("train/1/*.jpg"), to_class("x")), "label folder x"),
    ),
    "cage": Damage(
        wrong_header=(edit(CAGE, header("a,b,c,d")), FEWER_CAGE),
        missing_file=(remove(first("train_set/images/*.jpg")), "missing image"),
        extra_file=(add(first("train_set/images/*.jpg"), "999999.jpg"), SAME),
        shuffled_order=(edit(CAGE, reverse), SAME),
        wrong_code=(edit(CAGE, line(1, recode_cage)), "label code 77"),
    ),
    "parquet": Damage(
        missing_file=(remove(first("data/train-*.parquet")), ERROR),  # 8 images prove nothing
        extra_file=(add(first("data/*.parquet"), "notes.txt"), SAME),
        wrong_code=(recode_parquet("data/train-00000-of-00001.parquet"), "label 77"),
    ),
    "yolo": Damage(
        missing_file=(remove(first("train/images/*.png")), "missing image"),
        extra_file=(add(first("train/images/*.png"), "x.png"), SAME),
        wrong_code=(lambda root: YOLO(root).write_text("77 0.5 0.5 1 1\n"), "label code 77"),
    ),
}
