"""Sheets of images: samples of each class, its mean face, originals beside their copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from ferdata.core.parsing import parse_json
from ferdata.reports.stored import StoredImages
from ferdata.reports.thumbnails import thumbnail
from ferdata.reports.views import ClassSheet, CopySheet, Thumbnail

AVERAGED = 200
"""Source images behind a mean face at most: more make it no smoother."""

COPIES = 4
"""Copies shown beside an original at most."""

_UNSEEN = ("op", "seed")  # values of an operation that say nothing about the look of a copy


def class_sheets(images: StoredImages, samples: int) -> tuple[ClassSheet, ...]:
    """Return images of each class, drawn from its source images, and its mean face.

    Args:
        images: The stored images.
        samples: Images of a class from train; half as many from each other split.
    """
    sheets = []
    for label in images.build.label_space.names:
        shown: list[Thumbnail] = []
        for split in images.build.splits:
            most = samples if split == "train" else max(1, samples // 2)
            shown += images.thumbnails(split, images.drawn(split, label)[:most])
        mean, averaged = _mean_face(images, label)
        sheets.append(ClassSheet(label=label, samples=tuple(shown), mean=mean, averaged=averaged))
    return tuple(sheets)


def copy_sheets(images: StoredImages) -> tuple[CopySheet, ...]:
    """Return a source image of each class beside its copies, where it has any."""
    if "train" not in images.build.splits:
        return ()
    arrays = images.split("train")
    copies: dict[str, list[int]] = {}
    for row, parent in enumerate(arrays.column("parent_id").tolist()):
        if parent:
            copies.setdefault(parent, []).append(row)
    names, operations = arrays.column("sample_id"), arrays.column("operations")
    sheets = []
    for label in images.build.label_space.names:
        chosen = next((r for r in images.drawn("train", label) if names[r] in copies), None)
        if chosen is None:
            continue
        rows = sorted(copies[names[chosen]], key=lambda row: str(names[row]))[:COPIES]
        texts = [operations_in_words(operations[row]) for row in rows]
        (original,) = images.thumbnails("train", [chosen], ["original"])
        shown = tuple(images.thumbnails("train", rows, texts))
        sheets.append(CopySheet(original=original, copies=shown))
    return tuple(sheets)


def operations_in_words(text: str) -> str:
    """Return the operations of a row, for instance `horizontal flip; brightness, factor 1.13`."""
    return "; ".join(_in_words(entry) for entry in parse_json(text)) if text else "none"


def _in_words(entry: dict[str, Any]) -> str:
    values = [
        f"{name.replace('_', ' ')} {value:.3g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in entry.items()
        if name not in _UNSEEN
    ]
    return ", ".join([str(entry["op"]).replace("_", " "), *values])


def _mean_face(images: StoredImages, label: str) -> tuple[Thumbnail | None, int]:
    """Average source images of a class, those of train first."""
    total, number = np.zeros(images.build.image.shape, np.float64), 0
    for split in images.build.splits:
        rows = images.drawn(split, label)[: AVERAGED - number]
        if rows:
            pixels = images.split(split).gather(sorted(rows), ("image",))["image"]
            total += pixels.sum(axis=0, dtype=np.float64)
            number += len(rows)
    if not number:
        return None, 0
    mean = (total / number).round().astype(np.uint8)
    return thumbnail(mean, label=label, text=f"mean of {number} images"), number
