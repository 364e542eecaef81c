"""AffectNet's small release with one csv for each split instead of a npy file for each number.

The lists are those of CAGE (Wagner et al., CVPR Workshops 2024): `number,exp,val,aro`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ferdata.core.delimited import open_table, whole_number
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows, annotated, find_image
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.label_list import note_table
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
        opened = open_table(layout.root / table, _COLUMNS)
        for line in opened.rows():
            uri = f"{table}#{line.number}"
            if line.problem:
                yield layout.reject("", uri, line.problem)
                continue
            number, code, valence, arousal = line.cells
            if whole_number(number) is None:
                yield layout.reject("", uri, f"malformed line: {number[:40]!r} is no number")
                continue
            number = str(whole_number(number))
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
                    whole_number(code),
                    _SPLITS[word],
                    word,
                    valence=annotated(valence),
                    arousal=annotated(arousal),
                )
        note_table(layout, table, opened)
    for path in layout.tree.images():
        if path not in used:
            yield layout.reject(file_stem(path), path, "not in the list: no line names it")
    rows.finish()
