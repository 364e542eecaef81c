"""RAF-DB's annotation files: manual points and attributes, 37 automatic points, bounding box.

One small text file per image and kind; formats as in the readme v1.1 and in a real copy of the
compound part. All coordinates are pixels of the original image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import AnnotationError

SUFFIXES = {
    "manual": "_manu_attri.txt",
    "auto": "_auto_attri.txt",
    "boundingbox": "_boundingbox.txt",
}
"""Kind of annotation (also its folder's name) → ending of its file names."""

ATTRIBUTES = ("gender", "race", "age_group")
"""The manual annotation's last three lines, in order."""

AUTO_POINTS = 37
"""Face++ landmarks in an automatic annotation."""


@dataclass(frozen=True)
class Manual:
    """A manual annotation.

    Attributes:
        five_points: x, y of image-left and image-right eye center, nose tip, image-left and
            image-right mouth corner; ten numbers.
        attributes: Word of each of `ATTRIBUTES`.
    """

    five_points: tuple[float, ...]
    attributes: dict[str, str]


def read_manual(path: Path, words: Mapping[str, Mapping[int, str]]) -> Manual:
    """Read ten coordinates and the codes of gender, race and age group: 13 tokens.

    Args:
        path: The file.
        words: For each attribute, code to word.

    Raises:
        AnnotationError: The file can't be read or holds something else.
    """
    tokens = _tokens(path, 10 + len(ATTRIBUTES))
    points = _numbers(path, tokens[:10])
    attributes = {}
    for attribute, token in zip(ATTRIBUTES, tokens[10:], strict=True):
        word = words[attribute].get(int(token)) if token.isascii() and token.isdigit() else None
        if word is None:
            codes = words[attribute]
            raise AnnotationError(
                path, f"{attribute} code {token!r}; expected {min(codes)}–{max(codes)}"
            )
        attributes[attribute] = word
    return Manual(tuple(points), attributes)


def read_auto(path: Path) -> list[list[float]]:
    """Read the 37 Face++ points.

    Returns:
        37 pairs x, y.

    Raises:
        AnnotationError: The file can't be read or holds something else.
    """
    numbers = _numbers(path, _tokens(path, 2 * AUTO_POINTS))
    return [numbers[at : at + 2] for at in range(0, len(numbers), 2)]


def read_box(path: Path) -> list[float]:
    """Read the bounding box; it may reach beyond the image.

    Returns:
        x1, y1, x2, y2.

    Raises:
        AnnotationError: The file can't be read or holds something else.
    """
    box = _numbers(path, _tokens(path, 4))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise AnnotationError(path, f"box {box} is empty; expected x1 y1 x2 y2")
    return box


def _tokens(path: Path, count: int) -> list[str]:
    # Copies separate by tab, space or both, and end lines in LF or CRLF: split at any whitespace.
    try:
        with path.open("rb", buffering=0) as file:
            tokens = file.read().decode("ascii", errors="replace").split()
    except OSError as error:
        raise AnnotationError(path, f"can't be read ({error.strerror})") from None
    if len(tokens) != count:
        raise AnnotationError(path, f"{len(tokens)} numbers; expected {count}")
    return tokens


def _numbers(path: Path, tokens: list[str]) -> list[float]:
    try:
        numbers = [float(token) for token in tokens]
    except ValueError as error:
        raise AnnotationError(path, str(error)) from None
    if not all(map(math.isfinite, numbers)):
        raise AnnotationError(path, "a coordinate is not finite")
    return numbers
