"""AffectNet's small release with one csv for each split instead of a npy file for each number.

The lists are those of CAGE (Wagner et al., CVPR Workshops 2024): `number,exp,val,aro`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ferdata.core.errors import AnnotationError
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import (
    NAME,
    Rows,
    annotated,
    find_image,
    to_code,
    to_float,
)
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.label_list import read_lines
from ferdata.ingesters.pixel_tables import try_header
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, file_stem, folder_name

_COLUMNS = ("number", "exp", "val", "aro")
_SPLITS = {"train": "train", "val": "test", "validation": "test", "test": "test"}
_LIST = re.compile(r"(?P<split>train|val|validation|test)[^/]*\.csv", re.IGNORECASE)


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find csv files with the columns number, exp, val and aro."""
    lists = [
        path
        for path in tree.files
        if _LIST.fullmatch(file_name(path)) and set(_COLUMNS) <= set(try_header(tree, path))
    ]
    if not lists:
        return
    text = f"{', '.join(lists)} with the columns {', '.join(_COLUMNS)}"
    folders = {
        folder_name(folder)
        for path in tree.images()
        if file_name(folder := folder_name(path)).lower() == "images"
    }
    base = common_folder([*map(folder_name, lists), *map(folder_name, folders)])
    missing = "" if folders else "no images beside the lists; put train_set/images there"
    yield Layout.below(
        tree, base, NAME, "cage", Evidence(Sign.TABLE, text), lists=lists, source="manual",
        missing=missing,
    )  # fmt: skip


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the lists, train first, then the images that none names.

    Raises:
        AnnotationError: A list can't be read.
        LabelError: The codes are another dataset's.
    """
    rows, files = Rows(layout, choices), set(layout.tree.files)
    used: set[str] = set()
    folders = sorted({folder_name(path) for path in layout.tree.images()})
    for table in sorted(layout.lists, key=lambda path: not file_name(path).startswith("train")):
        match = _LIST.fullmatch(file_name(table))
        word = match["split"].lower() if match else "train"
        mine = next((f for f in folders if f"/{f}/".find(f"/{word}") >= 0), f"{word}_set/images")
        for uri, cells in _rows(layout, table):
            if cells is None:
                yield layout.reject("", uri, "malformed line: expected number, exp, val and aro")
                continue
            number, code, valence, arousal = cells
            key, image = f"{word}/{number}", find_image(files, mine, number)
            if image is None:
                yield layout.reject(key, uri, f"missing image: no {mine}/{number}.jpg")
            elif image in used:
                yield layout.reject(key, uri, "duplicate id: named on an earlier line")
            else:
                used.add(image)
                yield rows.row(
                    key,
                    image,
                    to_code(code.partition(".")[0]),
                    _SPLITS[word],
                    word,
                    valence=annotated(to_float(valence)),
                    arousal=annotated(to_float(arousal)),
                )
    for path in layout.tree.images():
        if path not in used:
            yield layout.reject(file_stem(path), path, "not in the list: no line names it")
    rows.finish()


def _rows(layout: Layout, table: str) -> Iterator[tuple[str, list[str] | None]]:
    """Yield the uri and the cells of each line, in the order of `_COLUMNS`; None if malformed."""
    lines = read_lines(layout.root / table)
    header = [word.strip(' "').lower() for word in lines[0].split(",")]
    if missing := [column for column in _COLUMNS if column not in header]:
        raise AnnotationError(f"{layout.root / table} line 1", f"has no column {missing[0]}")
    places = [header.index(column) for column in _COLUMNS]
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip(' "') for cell in line.split(",")]
        complete = len(cells) == len(header) and cells[places[0]].isdecimal()
        yield f"{table}#{number}", [cells[place] for place in places] if complete else None
