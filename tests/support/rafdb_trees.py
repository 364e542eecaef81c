"""Small RAF-DB trees with drawn images, in the distribution's exact file formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

Rows = Sequence[tuple[str, int]]

BASIC: Rows = [(f"train_{number:05d}", (number - 1) % 7 + 1) for number in range(1, 29)] + [
    (f"test_{number:04d}", (number - 1) % 7 + 1) for number in range(1, 15)
]
COMPOUND: Rows = [(f"train_{number:04d}", (number - 1) % 11 + 1) for number in range(1, 23)] + [
    (f"test_{number:03d}", (number - 1) % 11 + 1) for number in range(1, 12)
]

MANUAL = (
    "308.125\t318.500\r\n407.000\t330.000\r\n319.000\t383.000\r\n335.000\t436.000\r\n"
    "406.000\t442.000\r\n1\r\n0\r\n2\r\n"
)
AUTO = "".join(f"{number}.5\t{number + 1}.0\r\n" for number in range(37))
BOX = "260.237671 187.152115 479.177979 516.473022 "


def write_image(path: Path, seed: int = 0, size: int = 20) -> None:
    """Write a small JPEG that differs from file to file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), np.uint8)
    pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_CUBIC)
    path.write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def write_list(base: Path, rows: Rows, *, newline: str = "\n", end: str = "") -> Path:
    path = base / "EmoLabel/list_patition_label.txt"
    write_text(path, newline.join(f"{key}.jpg {code}" for key, code in rows) + end)
    return path


def write_official(
    base: Path,
    rows: Rows = BASIC,
    *,
    sources: Sequence[str] = ("aligned", "original"),
    nested: bool = False,
    annotation: bool = True,
) -> Path:
    """Write one part's official tree at `base`, which is the folder `basic` or `compound`."""
    write_list(base, rows)
    for number, (key, _) in enumerate(rows):
        for source in sources:
            folder = base / "Image" / source / (source if nested else "")
            suffix = "_aligned" if source == "aligned" else ""
            write_image(folder / f"{key}{suffix}.jpg", number)
        if annotation:
            write_text(base / f"Annotation/manual/{key}_manu_attri.txt", MANUAL)
            write_text(base / f"Annotation/auto/{key}_auto_attri.txt", AUTO)
            write_text(base / f"Annotation/boundingbox/{key}_boundingbox.txt", BOX)
    return base


def write_folders(
    base: Path, rows: Rows = BASIC, *, test_folder: str = "test", lists: Path | None = None
) -> Path:
    """Write the copy with class folders; with csv lists in `lists` where given."""
    for number, (key, code) in enumerate(rows):
        folder = "train" if key.startswith("train") else test_folder
        write_image(base / folder / str(code) / f"{key}_aligned.jpg", number)
    if lists is not None:
        for split in ("train", "test"):
            lines = [f"{key}_aligned.jpg,{code}" for key, code in rows if key.startswith(split)]
            write_text(lists / f"{split}_labels.csv", "\n".join(["image,label", *lines, ""]))
    return base
