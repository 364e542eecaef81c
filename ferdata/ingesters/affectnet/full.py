"""AffectNet's full release: csv lists, and images of any size in numbered folders.

The lists have 415,000 lines with 68 points each, so a line must cost only a few microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ferdata.core.delimited import (
    fold_name,
    open_table,
    posix_path,
    real_number,
    sniff_table,
    whole_number,
)
from ferdata.core.errors import AnnotationError, ImageError, LayoutError
from ferdata.core.image_formats import is_image
from ferdata.core.images import require_inside
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows, annotated, points
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.label_list import note_table
from ferdata.ingesters.notices import Notices
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
"""The columns, in order; a list may come without this header."""

_SPLITS = {
    "training.csv": ("manual", "train", "training"),
    "validation.csv": ("manual", "test", "validation"),
    "automatically_annotated.csv": ("automatic", "train", "automatic"),
}
_IMAGES = {
    "manual": re.compile(r"manually_annotated_images", re.IGNORECASE),
    "automatic": re.compile(r"automatically_annotated_images", re.IGNORECASE),
}
_FOLDERS = {
    "manual": "Manually_Annotated_Images",
    "automatic": "Automatically_Annotated_Images",
}

_TAKEN = ""
"""In place of the path of an image that an earlier line has named."""


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find lists with AffectNet's columns, one layout for each kind of annotation."""
    lists: dict[str, list[str]] = {}
    for path in tree.files:
        name = file_name(path).lower()
        if name in _SPLITS and _is_list(tree.root / path):
            lists.setdefault(_SPLITS[name][0], []).append(path)
    folders = set(map(folder_name, tree.folders)) if lists else set()
    for source, mine in lists.items():
        images = {folder for folder in folders if _IMAGES[source].search(file_name(folder))}
        base = common_folder([*map(folder_name, images), *map(_home, mine)])
        evidence = [Evidence(Sign.TABLE, f"{', '.join(mine)} with AffectNet's columns")]
        if images:
            evidence.append(Evidence(Sign.FOLDERS, f"images in {', '.join(sorted(images)[:2])}"))
        missing = "" if images else f"no folder {_FOLDERS[source]}; extract the archives with them"
        yield Layout.below(
            tree, base, NAME, "full", *evidence, lists=mine, source=source, missing=missing
        )


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the lists, train before validation, line by line.

    Raises:
        AnnotationError: A list lacks a column.
        LayoutError: There are no images.
        LabelError: The codes are another dataset's.
    """
    images = _images(layout)
    rows, notices = Rows(layout, choices), layout.notices
    order = list(_SPLITS)
    for table in sorted(layout.lists, key=lambda path: order.index(file_name(path).lower())):
        _, split, native = _SPLITS[file_name(table).lower()]
        opened = open_table(layout.root / table, COLUMNS, header="optional")
        for line in opened.rows():
            uri, cells = f"{table}#{line.number}", line.cells
            if line.problem:
                yield layout.reject("", uri, line.problem)
                continue
            name = posix_path(cells[0])
            try:
                require_inside(name)
            except ImageError as error:
                yield layout.reject("", uri, error.reason)
                continue
            key = name.rpartition(".")[0]
            path, code = images.get(name.lower()), whole_number(cells[6])
            if path == _TAKEN:
                yield layout.reject(key, uri, "duplicate id: named on an earlier line")
                continue
            if path is None:
                # A line without an expression is rejected for that reason, image or not.
                row = rows.row(key, uri, code, split, native)
                is_row = isinstance(row, Sample)
                yield layout.reject(key, uri, f"missing image: no {name}") if is_row else row
                continue
            images[name.lower()] = _TAKEN  # in place: a set of 415,000 names more takes 100 MB
            if code not in rows.codes:  # its points, which take long to parse, are not needed
                yield rows.row(key, path, code, split, native)
                continue
            yield rows.row(
                key,
                path,
                code,
                split,
                native,
                valence=annotated(cells[7]),
                arousal=annotated(cells[8]),
                **_box(cells, notices, uri),
                **_points(cells[5], notices, uri),
            )
        note_table(layout, table, opened)
    for path in sorted(filter(is_image, images.values())):
        yield layout.reject("", path, "not in the list: no line names it")
    rows.finish()


def _images(layout: Layout) -> dict[str, str]:
    """Return the path of each image by its name in the lists, in lower case.

    Raises:
        LayoutError: There are none.
    """
    folder = _IMAGES[layout.source]
    found: dict[str, str] = {}
    bases: dict[str, bool] = {}
    for path in layout.tree.files:
        above, _, name = path.rpartition("/")
        base = folder_name(above)
        if base not in bases:
            bases[base] = bool(folder.search(file_name(base)))
        if bases[base]:
            found[f"{file_name(above)}/{name}".lower()] = path
    if not found:
        raise LayoutError(
            f"{layout.root}: contains the lists but no folder {_FOLDERS[layout.source]}; extract "
            "the archives with the images into the same folder."
        )
    return found


def _home(path: str) -> str:
    """Return the folder of the release: a list lies in it, or one level below."""
    folder = folder_name(path)
    return folder_name(folder) if "file_list" in file_name(folder).lower() else folder


def _is_list(path: Path) -> bool:
    """Say whether a file has AffectNet's columns, with or without a header.

    Yes if it can't be read and lies among the lists, so that reading reports it.
    """
    try:
        head = sniff_table(path, COLUMNS, (len(COLUMNS), len(COLUMNS) + 1))
    except AnnotationError:
        return "file_list" in path.parent.name.lower()
    if fold_name(COLUMNS[0]) in map(fold_name, head.names):
        return True
    cells = head.rows[0][-len(COLUMNS) :]
    return len(cells) == len(COLUMNS) and ";" in cells[5]


def _box(cells: Sequence[str], notices: Notices, uri: str) -> dict[str, Any]:
    """Return the box as x1, y1, x2, y2; none if it is malformed or has no area."""
    x, y, width, height = map(real_number, cells[1:5])
    if x is None or y is None or width is None or height is None:
        notices.add("boxes are not four numbers and are ignored", uri)
        return {}
    if width <= 0 or height <= 0:
        notices.add("boxes have no area and are ignored", uri)
        return {}
    return {"box": (x, y, x + width, y + height)}


def _points(text: str, notices: Notices, uri: str) -> dict[str, Any]:
    try:
        found = points(np.fromstring(text, np.float32, sep=";"))
    except ValueError:
        found = {}
    if not found:
        notices.add("lines have malformed landmarks, which are ignored", uri)
    return found
