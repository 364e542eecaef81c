"""Lists of images and labels that somebody made: `path code` on a line, or a csv of two columns.

`read_pairs` is the one place that parses them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import AnnotationError
from ferdata.core.images import IMAGE_SUFFIXES
from ferdata.ingesters.label_list import read_lines
from ferdata.ingesters.tree import FileTree, file_name

NAME_HEADS = ("image", "path", "file", "filename", "file_name", "name", "img", "pth")
LABEL_HEADS = ("label", "labels", "emotion", "expression", "class", "code", "target")

_HEAD = 4096  # bytes of a file that show whether it is a list
_ENDINGS = (".txt", ".csv", ".lst", ".list")


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of a list: its number from 1, the image's path, and the word for its label."""

    line: int
    path: str
    word: str


@dataclass(frozen=True)
class FoundList:
    """A list in a tree: its path, and its first line that names an image."""

    path: str
    example: str
    pair: Pair


def find_lists(tree: FileTree) -> Iterator[FoundList]:
    """Yield the files of a tree that are lists of images and labels."""
    for path in tree.files:
        if not path.lower().endswith(_ENDINGS):
            continue
        try:
            with (tree.root / path).open("rb") as file:
                text = file.read(_HEAD).decode("utf-8-sig", errors="replace")
        except OSError:
            continue
        lines = [line.rstrip("\r") for line in text.split("\n")][:8]
        for pair in _pairs(lines):
            if pair is not None:
                yield FoundList(path, lines[pair.line - 1], pair)
                break


def read_pairs(path: Path) -> Iterator[Pair | tuple[int, str]]:
    """Yield each line of a list below its header: a pair, or its number and text if it is none.

    Raises:
        AnnotationError: The file can't be read or is empty.
    """
    lines = read_lines(path)
    number = 0
    for number, pair in enumerate(_pairs(lines), start=1):
        if pair is not None:
            yield pair
        elif not (number == 1 and _header(lines[0])):
            yield number, lines[number - 1]
    if not number:
        raise AnnotationError(path, "is empty; expected lines of path and label")


def _pairs(lines: list[str]) -> Iterator[Pair | None]:
    """Yield what each line says, None for a header or a line that says nothing."""
    places = _header(lines[0]) if lines else None
    for number, line in enumerate(lines, start=1):
        words = _cells(line)
        if number == 1 and places:
            yield None
        elif places and len(words) > max(places):
            yield _pair(number, words[places[0]], words[places[1]])
        elif not places and len(words) == 2:
            yield _pair(number, *words)
        else:
            yield None


def _pair(number: int, path: str, word: str) -> Pair | None:
    path = path.strip().replace("\\", "/").removeprefix("./")
    ending = f".{file_name(path).rpartition('.')[2].lower()}"
    return Pair(number, path, word.strip()) if ending in IMAGE_SUFFIXES and word.strip() else None


def _header(line: str) -> tuple[int, int] | None:
    """Return the places of the image's and the label's column; None if a line is no header."""
    heads = [cell.strip().lower() for cell in _cells(line)]
    name = next((heads.index(head) for head in NAME_HEADS if head in heads), None)
    label = next((heads.index(head) for head in LABEL_HEADS if head in heads), None)
    return None if name is None or label is None else (name, label)


def _cells(line: str) -> list[str]:
    if "," in line or ";" in line or "\t" in line:
        delimiter = next(mark for mark in ("\t", ";", ",") if mark in line)
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    match = re.fullmatch(r"(.*\S)\s+(\S+)", line.strip())  # a path may hold blanks
    return [match[1], match[2]] if match else []
