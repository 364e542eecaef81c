"""Damages of AffectNet's copies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from support.damage.base import ERROR, SAME, Damage, edit_lines

FULL = "Manually_Annotated_file_lists/training.csv"
KAGGLE = "labels.csv"


def edit(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    return lambda root: edit_lines(root / name, change)


def reverse(lines: list[str]) -> list[str]:
    return [lines[0], *lines[:0:-1]]


def recode_full(lines: list[str]) -> list[str]:
    """Give the first line with an expression a code that there is not."""
    row = next(n for n, line in enumerate(lines[1:], 1) if int(line.split(",")[6]) < 8)
    cells = lines[row].split(",")
    cells[6] = "77"
    return [*lines[:row], ",".join(cells), *lines[row + 1 :]]


def first_full(root: Path) -> Path:
    """Return the image of the first line with an expression."""
    lines = (root / FULL).read_text().splitlines()[1:]
    name = next(line.split(",")[0] for line in lines if int(line.split(",")[6]) < 8)
    return root / "Manually_Annotated_Images" / name


def first(pattern: str) -> Callable[[Path], Path]:
    return lambda root: min(root.rglob(pattern))


def plus_image(root: Path) -> Path:
    for path in sorted(root.rglob("*.json")):
        if json.loads(path.read_text()).get("human-label", 9) < 8:
            return path.parents[1] / "images" / f"{path.stem}.jpg"
    raise LookupError


def recode_plus(root: Path) -> None:
    path = plus_image(root)
    annotation = path.parents[1] / "annotations" / f"{path.stem}.json"
    annotation.write_text(json.dumps(json.loads(annotation.read_text()) | {"human-label": 77}))


def add_beside(find: Callable[[Path], Path], name: str) -> Callable[[Path], None]:
    return lambda root: find(root).with_name(name).write_bytes(b"x") and None


SMALL, CROP, YOLO = first("train_set/images/*.jpg"), first("anger/*.jpg"), first("train/labels/*")

DAMAGE = {
    "full": Damage(
        wrong_header=(
            edit(FULL, lambda lines: [lines[0].replace("arousal", "x"), *lines[1:]]),
            ERROR,
        ),
        missing_file=(lambda root: first_full(root).unlink(), "missing image"),
        extra_file=(add_beside(first_full, "extra.jpg"), SAME),
        shuffled_order=(edit(FULL, reverse), SAME),
        wrong_code=(edit(FULL, recode_full), "label code 77"),
    ),
    "small": Damage(
        wrong_header=None,  # no lists
        missing_file=(lambda root: SMALL(root).unlink(), "missing image"),
        extra_file=(add_beside(SMALL, "999999.jpg"), SAME),
        shuffled_order=None,
        wrong_code=(
            lambda root: np.save(first("train_set/annotations/*_exp.npy")(root), np.array("77")),
            "label code 77",
        ),
    ),
    "plus": Damage(
        wrong_header=None,
        missing_file=(lambda root: plus_image(root).unlink(), "missing image"),
        extra_file=(add_beside(plus_image, "999999.jpg"), SAME),
        shuffled_order=None,
        wrong_code=(recode_plus, "label code 77"),
    ),
    "kaggle": Damage(
        wrong_header=(edit(KAGGLE, lambda lines: ["a,b,c,d", *lines[1:]]), ERROR),
        missing_file=(lambda root: CROP(root).unlink(), "missing image"),
        extra_file=(lambda root: (root / "extra.jpg").write_bytes(b"x"), SAME),
        shuffled_order=(edit(KAGGLE, reverse), SAME),
        wrong_code=(
            edit(KAGGLE, lambda lines: [lines[0], _bored(lines[1]), *lines[2:]]),
            "label bored",
        ),
    ),
    "yolo": Damage(
        wrong_header=None,
        missing_file=(
            lambda root: first("train/images/*.png")(root).unlink(),
            "missing image",
        ),
        extra_file=(lambda root: (root / "YOLO_format/train/images/x.png").write_bytes(b"x"), SAME),
        shuffled_order=None,
        wrong_code=(lambda root: YOLO(root).write_text("77 0.5 0.5 1 1\n"), "label code 77"),
    ),
}


def _bored(line: str) -> str:
    index, path, _, sure = line.split(",")
    return f"{index},{path},bored,{sure}"
