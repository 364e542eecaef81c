"""Damages of RAF-DB's copies."""

from __future__ import annotations

from pathlib import Path

from support.damage.base import SAME, Damage, edit_lines

OFFICIAL_LIST = "EmoLabel/list_patition_label.txt"


def official(part: str) -> Damage:
    """Return the damages of an official tree."""

    def change(function):
        return lambda root: edit_lines(root / part / OFFICIAL_LIST, function)

    def image(root: Path) -> Path:
        return min((root / part / "Image/aligned").iterdir())

    return Damage(
        wrong_header=None,  # the list has none
        missing_file=(lambda root: image(root).unlink(), "missing image"),
        extra_file=(
            lambda root: image(root).with_name("train_99999_aligned.jpg").write_bytes(b"x"),
            SAME,
        ),
        shuffled_order=(change(lambda lines: lines[::-1]), SAME),
        wrong_code=(change(lambda lines: [f"{lines[0][:-1]}99", *lines[1:]]), "label code 99"),
    )


def _first_train(root: Path) -> Path:
    return min((root / "DATASET/train").rglob("*.jpg"))


def _reverse(root: Path) -> None:
    edit_lines(root / "train_labels.csv", lambda lines: [lines[0], *lines[:0:-1]])


def _wrong_code(root: Path) -> None:
    edit_lines(
        root / "train_labels.csv",
        lambda lines: [lines[0], f"{lines[1].partition(',')[0]},9", *lines[2:]],
    )


DAMAGE = {
    "official": official("basic"),
    "kaggle": Damage(
        wrong_header=(
            lambda root: edit_lines(root / "train_labels.csv", lambda lines: ["a,b", *lines[1:]]),
            "error",
        ),
        missing_file=(lambda root: _first_train(root).unlink(), "missing image"),
        extra_file=(
            lambda root: _first_train(root).with_name("train_99999_aligned.jpg").write_bytes(b"x"),
            SAME,
        ),
        shuffled_order=(_reverse, SAME),
        wrong_code=(_wrong_code, "label code 9"),
    ),
}
