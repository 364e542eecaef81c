"""Lists of images and labels that somebody made: `path code` on a line, or a csv of two columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.delimited import (
    BLANK,
    Table,
    open_table,
    open_table_at,
    posix_path,
    sniff_table,
)
from ferdata.core.errors import AnnotationError
from ferdata.core.image_formats import is_image
from ferdata.ingesters.tree import FileTree

NAME_HEADS = ("image", "path", "file", "filename", "file_name", "name", "img", "pth")
LABEL_HEADS = ("label", "labels", "emotion", "expression", "class", "code", "target")

_ENDINGS = (".txt", ".csv", ".tsv", ".lst", ".list")


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of a list: its number from 1, the image's path, and the word for its label."""

    line: int
    path: str
    word: str


@dataclass(frozen=True, slots=True)
class FoundList:
    """A list in a tree: its path, and the first image that it names."""

    path: str
    image: str


def find_lists(tree: FileTree) -> Iterator[FoundList]:
    """Yield the files of a tree that are lists of images and labels."""
    for path in tree.files:
        if not path.lower().endswith(_ENDINGS):
            continue
        try:
            pair = next(each for each in read_pairs(tree.root / path) if isinstance(each, Pair))
        except (AnnotationError, StopIteration):
            continue
        yield FoundList(path, pair.path)


def read_pairs(path: Path) -> Iterator[Pair | tuple[int, str]]:
    """Yield each line of a list below its header: a pair, or its number and text if it is none.

    Blank lines are left out.

    Raises:
        AnnotationError: The file can't be read, is empty, or is no list of two columns.
    """
    for line in _open(path).rows():
        if line.problem == BLANK:
            continue
        name, word = map(str, line.cells) if line.cells else ("", "")
        name = posix_path(name).removeprefix("./")
        if word and is_image(name):
            yield Pair(line.number, name, word)
        else:
            yield line.number, line.text


def _open(path: Path) -> Table:
    head = sniff_table(path, (*NAME_HEADS, *LABEL_HEADS), widths=(2, 3))
    name, label = head.first_of(NAME_HEADS), head.first_of(LABEL_HEADS)
    if name and label:
        return open_table(path, [name, label])
    if len(head.rows[0]) != 2:
        raise AnnotationError(path, "is no list of paths and labels")
    return open_table_at(path, (0, 1))
