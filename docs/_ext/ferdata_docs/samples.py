"""What a drawn copy of a dataset looks like: its tree as text, its images as one picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.files import DEMO_MARKER
from ferdata.core.images import read_image
from ferdata.ingesters import DatasetInfo, ingest
from ferdata_docs.writing import write_if_changed

Image = npt.NDArray[np.uint8]

SIDE, GAP, LINE = 112, 6, 20
SHOWN = 3
"""Files and folders of one folder that a tree names."""


def drawn_tree(root: Path) -> str:
    """Return the tree of a folder as text, at most `SHOWN` names a folder."""
    return "\n".join(["copy/", *_branches(root, "  ")])


def write_samples(root: Path, info: DatasetInfo, picture: Path) -> str:
    """Write one image of each class of a copy side by side as PNG; returns a caption."""
    manifest = ingest(info.name, root)
    rows = {row["label"]: row for row in reversed(list(manifest.rows(["label", "uri"])))}
    names = [name for name in info.codes.values() if name in rows]
    pixels = [read_image(manifest.roots[info.name], rows[name]["uri"]).pixels for name in names]
    write_picture(picture, strip(pixels, names))
    sizes = sorted({image.shape[:2] for image in pixels})
    (height, width), more = sizes[0], " and other sizes" if len(sizes) > 1 else ""
    return f"Drawn images in the form of {info.name}, {width}×{height} pixels{more}"


def strip(images: Sequence[Image], captions: Sequence[str], columns: int = 4) -> Image:
    """Return images in rows, each scaled to `SIDE` pixels with its caption above it, uint8 RGB."""
    step, rows = SIDE + GAP, -(-len(images) // columns)
    width = min(columns, len(images)) * step + GAP
    sheet = np.full((rows * (step + LINE) + GAP, width, 3), 255, np.uint8)
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        top, left = place // columns * (step + LINE) + LINE, place % columns * step + GAP
        sheet[top : top + SIDE, left : left + SIDE] = _fitted(image)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(sheet, caption, (left, top - 6), font, 0.38, (40, 40, 40), 1, cv2.LINE_AA)
    return sheet


def write_picture(path: Path, pixels: Image) -> None:
    """Write uint8 RGB as PNG."""
    _, data = cv2.imencode(
        ".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9]
    )
    write_if_changed(path, data.tobytes())


def _fitted(image: Image) -> Image:
    """Return an image inside a white square of `SIDE` pixels."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, size, interpolation=how)
    square = np.full((SIDE, SIDE, 3), 255, np.uint8)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


def _branches(folder: Path, indent: str) -> Iterator[str]:
    entries = sorted(each for each in folder.iterdir() if each.name != DEMO_MARKER)
    for each in entries[:SHOWN]:
        yield f"{indent}{each.name}" + ("/" if each.is_dir() else "")
        if each.is_dir():
            yield from _branches(each, indent + "  ")
    if len(entries) > SHOWN:
        yield f"{indent}… {len(entries) - SHOWN} more"
