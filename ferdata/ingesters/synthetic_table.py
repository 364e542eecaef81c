"""Drawn images as rows of a csv: drawn one by one in any process, joined in order at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from ferdata.ingesters.synthetic import Sample
from ferdata.synth.paint import Pixels

ROWS_FOLDER = ".rows"
"""Where rows wait until all are drawn; hidden, so that no reader takes them for data."""


def store_row(root: Path, sample: Sample, pixels: Pixels) -> None:
    """Keep the pixels of one row.

    Args:
        root: The copy's root.
        sample: The row.
        pixels: uint8 RGB, shape (H, W, 3); stored as gray.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    text = " ".join(map(str, gray.reshape(-1).tolist()))
    (root / ROWS_FOLDER / f"{sample.stem}.txt").write_text(text, encoding="ascii")


def write_table(
    path: Path, header: str, samples: Sequence[Sample], line: Callable[[Sample, str], str]
) -> None:
    """Write the csv and remove what `store_row` kept.

    Args:
        path: The file.
        header: Its first line.
        samples: The rows, in order.
        line: A sample and its pixels as text → the row.
    """
    folder = path.parent / ROWS_FOLDER
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(header + "\n")
        for sample in samples:
            text = (folder / f"{sample.stem}.txt").read_text(encoding="ascii")
            file.write(line(sample, text) + "\n")
    for sample in samples:
        (folder / f"{sample.stem}.txt").unlink()
    folder.rmdir()
