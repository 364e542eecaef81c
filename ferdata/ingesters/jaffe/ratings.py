"""JAFFE's ratings: how 60 viewers saw each image, in a table of the distribution's readme.

The readme contains two studies. The first has six columns. The second, headed "Fear Excluded", has
five, without FEA and without the images of fear, and is not read.
"""

from __future__ import annotations

import re
from pathlib import Path

from ferdata.core.delimited import read_lines, split_line, whole_number
from ferdata.core.errors import AnnotationError
from ferdata.core.labels import CANONICAL
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.tree import FileTree, file_name, folder_name

RATED = {
    "HAP": "happiness",
    "SAD": "sadness",
    "SUR": "surprise",
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
}
"""The columns of the first study; neutral was not rated."""

LOWEST, HIGHEST = 1.0, 5.0
"""Ratings run from 1, not at all, to 5, very much so."""

Ratings = dict[str, dict[str, float]]
"""`KM-NE1` → mean rating by expression."""

_IMAGE = "PIC"  # header of the last column, of file names
_KEY = re.compile(r"[A-Z]{2}-[A-Z]{2}\d")
_README = re.compile(r"(a_)?readme(_first)?(\.txt)?|semantic[-_ ]ratings\.(csv|txt)", re.IGNORECASE)
_LONGEST = 1_000_000  # bytes; the real readme has 18,459


def rating_files(tree: FileTree, folder: str) -> tuple[str, ...]:
    """Find the files with ratings below a folder, or just above it.

    Readmes are opened, because many folders have one.

    Args:
        tree: The whole tree.
        folder: Where the images are, relative to the tree.
    """
    above = folder_name(folder) if folder else None
    inside = f"{folder}/" if folder else ""
    return tuple(
        path
        for path in tree.files
        if (path.startswith(inside) or folder_name(path) == above)
        and _README.fullmatch(file_name(path))
        and _has_ratings(tree.root / path)
    )


def read_ratings(layout: Layout) -> Ratings:
    """Read the tables of ratings in the lists of a layout.

    Raises:
        AnnotationError: A file can't be read, or its columns are not those of the readme.
    """
    ratings: Ratings = {}
    for path in layout.lists:
        file = layout.root / path
        columns: list[str] | None = None
        for number, line in enumerate(read_lines(file), start=1):
            words = _words(line)
            if words and words[-1] == _IMAGE and set(words) & set(RATED):
                columns = _columns(file, number, words)
            elif words and _KEY.fullmatch(words[-1]):
                if columns is None:
                    raise AnnotationError(
                        f"{file} line {number}",
                        f"ratings without a line of column names above them; expected "
                        f"{' '.join(RATED)} PIC",
                    )
                _add(ratings, columns, words, layout, f"{path} line {number}")
    return ratings


def soft_label(rating: dict[str, float]) -> tuple[float, ...] | None:
    """Turn viewers' mean ratings into fractions of the six rated expressions.

    A fraction is (rating − 1) over the sum of these, so that 1, "not at all", counts nothing. The
    authors publish no such rule; this one is ferdata's.

    Args:
        rating: Means from 1 to 5 by expression.

    Returns:
        Eight fractions in the order of `CANONICAL`; None if every rating is 1.
    """
    above = {name: value - LOWEST for name, value in rating.items()}
    total = sum(above.values())
    return tuple(above.get(name, 0.0) / total for name in CANONICAL) if total > 0 else None


def _columns(path: Path, number: int, words: list[str]) -> list[str]:
    """Check a line of column names; returns the names of the ratings, in order."""
    columns = words[:-1] if words[0] in RATED else words[1:-1]
    known = set(columns) <= set(RATED) and len(set(columns)) == len(columns)
    if not known or not set(RATED) - set(columns) <= {"FEA"}:
        raise AnnotationError(
            f"{path} line {number}",
            f"columns {' '.join(words)}; expected N {' '.join(RATED)} PIC. "
            "Move the file away to read the images without ratings",
        )
    return columns


def _add(
    ratings: Ratings, columns: list[str], words: list[str], layout: Layout, where: str
) -> None:
    """Add the rating of one line, unless it is malformed or of the second study."""
    if len(columns) < len(RATED):
        return
    key, given = words[-1], words[1:-1]
    if len(given) > len(columns) and None not in map(whole_number, words[:2]):
        given = given[1:]  # behind an index that was added
    numbers = [_rating(word) for word in given]
    values = [number for number in numbers if number is not None]
    if len(values) != len(columns) or len(numbers) != len(columns):
        layout.notices.add("lines of ratings are not six numbers from 1 to 5", where)
        return
    rating = {RATED[name]: value for name, value in zip(columns, values, strict=True)}
    if ratings.setdefault(key, rating) != rating:
        layout.notices.add("images have two different ratings; the first is used", where)


def _rating(word: str) -> float | None:
    if not re.fullmatch(r"\d(\.\d+)?", word):
        return None
    value = float(word)
    return value if LOWEST <= value <= HIGHEST else None


def _words(line: str) -> list[str]:
    """Split a line of a table: at spaces in the readme, at commas or semicolons in copies of it."""
    if ";" in line:  # where the comma may be the decimal point
        cells = [cell.strip().replace(",", ".") for cell in split_line(line, ";")]
        return [cell for cell in cells if cell]
    return line.replace(",", " ").replace('"', " ").split()


def _has_ratings(path: Path) -> bool:
    """Say whether a readme has ratings; yes if it can't be read, so that reading reports it."""
    try:
        if path.stat().st_size > _LONGEST:
            return False
        path.open("rb").close()
    except OSError:
        return True
    try:
        lines = read_lines(path)
    except AnnotationError:  # empty, or no text: a readme of something else
        return "ratings" in path.name.lower()
    return any(words and _KEY.fullmatch(words[-1]) for words in map(_words, lines))
