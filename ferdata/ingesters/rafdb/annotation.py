"""RAF-DB's annotation files: manual points and attributes, 37 automatic points, bounding box.

One small text file per image and kind; formats as in the readme v1.1 and in a real copy of the
compound part. All coordinates are pixels of the original image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferdata.core.delimited import read_words
from ferdata.core.errors import AnnotationError

SUFFIXES = {
    "manual": "_manu_attri.txt",
    "auto": "_auto_attri.txt",
    "boundingbox": "_boundingbox.txt",
}
"""Kind of annotation (also its folder's name) → ending of its file names."""

ATTRIBUTES = ("gender", "race", "age_group")
"""The last three lines of the manual annotation, in order."""

AUTO_POINTS = 37
"""Face++ landmarks in an automatic annotation."""

Words = Mapping[str, Mapping[int, str]]
"""The word of each code, for each attribute."""


def read_annotation(kind: str, path: Path, words: Words) -> dict[str, Any]:
    """Read one annotation file.

    Args:
        kind: One of `SUFFIXES`.
        path: The file.
        words: The words of the attributes' codes.

    Returns:
        Fields of a `Sample`: of `manual` the five points (image-left and image-right eye center,
        nose tip, image-left and image-right mouth corner) and `ATTRIBUTES`; of `auto` 37
        landmarks; of `boundingbox` the box, which may reach beyond the image.

    Raises:
        AnnotationError: The file can't be read or has other content.
    """
    if kind == "manual":
        tokens = _tokens(path, 10 + len(ATTRIBUTES))
        points = tuple(_numbers(path, tokens[:10]))
        return {"five_points": points} | _attributes(path, tokens[10:], words)
    if kind == "auto":
        numbers = _numbers(path, _tokens(path, 2 * AUTO_POINTS))
        landmarks = [numbers[at : at + 2] for at in range(0, len(numbers), 2)]
        return {
            "landmarks": landmarks,
            "landmark_scheme": "facepp37",
            "landmark_source": "dataset",
        }
    box = _numbers(path, _tokens(path, 4))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise AnnotationError(path, f"box {box} is empty; expected x1 y1 x2 y2")
    return {"box": box}


def _attributes(path: Path, tokens: list[str], words: Words) -> dict[str, str]:
    attributes = {}
    for attribute, token in zip(ATTRIBUTES, tokens, strict=True):
        codes = words[attribute]
        word = codes.get(int(token)) if token.isascii() and token.isdigit() else None
        if word is None:
            raise AnnotationError(
                path, f"{attribute} code {token!r}; expected {min(codes)}–{max(codes)}"
            )
        attributes[attribute] = word
    return attributes


def _tokens(path: Path, count: int) -> list[str]:
    # Copies separate by tab, space or both, and end lines in LF or CRLF: split at any whitespace.
    tokens = read_words(path)
    if len(tokens) != count:
        raise AnnotationError(path, f"{len(tokens)} numbers; expected {count}")
    return tokens


def _numbers(path: Path, tokens: list[str]) -> list[float]:
    try:
        numbers = [float(token) for token in tokens]
    except ValueError as error:
        raise AnnotationError(path, str(error)) from None
    if not all(map(math.isfinite, numbers)):
        raise AnnotationError(path, "a coordinate is NaN or infinite")
    return numbers
