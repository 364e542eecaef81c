"""AffectNet re-made on Kaggle: class folders, and labels.csv that often says something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ferdata.core.delimited import open_table, posix_path, real_number
from ferdata.core.errors import LabelError
from ferdata.core.labels import find_name
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows
from ferdata.ingesters.class_folders import class_folder, class_of, wrong_folder
from ferdata.ingesters.contract import OF_REJECTS, Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.label_list import is_other_dataset, note_table
from ferdata.ingesters.pixel_tables import try_header
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name

_COLUMNS = ("pth", "label", "relfcs")
_SPLIT = re.compile(r"train|test", re.IGNORECASE)


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find labels.csv with the columns pth, label and relFCs."""
    for path in tree.files:
        if file_name(path).lower() != "labels.csv":
            continue
        if set(_COLUMNS) <= set(try_header(tree, path)):
            folder = folder_name(path)
            images = sum(class_of(each) is not None for each in tree.below(folder).files)
            evidence = (
                Evidence(Sign.TABLE, f"{path} with pth, label and relFCs"),
                Evidence(Sign.FOLDERS, f"{images:,} files in class folders"),
            )
            missing = "" if images else "no images in class folders beside labels.csv"
            yield Layout.below(
                tree, folder, NAME, "kaggle", *evidence, lists=[path], source="manual",
                missing=missing,
            )  # fmt: skip


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the lines of labels.csv, then the images that it does not name.

    Raises:
        AnnotationError: labels.csv can't be read.
        LabelError: Too many of its labels are not expressions.
    """
    rows = Rows(layout, choices)
    images = _images(layout.tree)
    used: set[str] = set()
    seen: set[str] = set()
    wrong = 0
    lines = list(_lines(layout))
    for line in lines:
        key = line.path.rpartition(".")[0]
        if line.problem:
            yield layout.reject("", line.uri, line.problem)
            continue
        if line.path.lower() in seen:
            yield layout.reject(key, line.uri, "duplicate id: named on an earlier line")
            continue
        seen.add(line.path.lower())
        paths = images.get(line.path.lower(), [])
        used.update(paths)
        label = find_name(line.label)
        if not paths:
            yield layout.reject(key, line.uri, f"missing image: no {line.path}")
        elif label is None:
            wrong += 1
            layout.ignored.update(dict.fromkeys(paths, OF_REJECTS))
            yield layout.reject(key, line.uri, f"label {line.label}: expected an expression")
        else:
            for path in paths:
                yield _row(rows, path, label, line, choices)
    for paths in images.values():
        for path in paths:
            if path not in used:
                yield _unlisted(rows, path)
    if is_other_dataset(wrong, len(lines)):
        raise LabelError(
            f"affectnet: {wrong} of {len(lines)} lines of {layout.root / layout.lists[0]} have "
            "labels that are not expressions; this is another list."
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of labels.csv."""

    path: str
    label: str
    confidence: float | None
    uri: str
    problem: str


def _lines(layout: Layout) -> Iterator[_Line]:
    table = layout.lists[0]
    opened = open_table(layout.root / table, _COLUMNS)
    for line in opened.rows():
        path, label, confidence = line.cells or ("", "", "")
        uri = f"{table}#{line.number}"
        yield _Line(posix_path(path), label, _confidence(confidence), uri, line.problem)
    note_table(layout, table, opened)


def _row(rows: Rows, path: str, label: str, line: _Line, choices: Choices) -> Sample | Reject:
    """Return the row of an image that the csv names; both labels are recorded."""
    folder = class_of(path)
    native = line.label
    if folder is not None and folder != label:
        native = f"{line.label} (folder {class_folder(path)})"
        rows.layout.notices.add("images are in a folder of another class than the csv says", path)
    chosen = folder if choices["label_source"] == "folder" and folder else label
    return rows.labeled(
        path.rpartition(".")[0],
        path,
        chosen,
        native,
        None,
        _split_word(path),
        label_confidence=line.confidence,
    )


def _unlisted(rows: Rows, path: str) -> Sample | Reject:
    """Return the row of an image that the csv does not name, by its folder."""
    folder, key = class_of(path), path.rpartition(".")[0]
    if folder is None:
        return rows.layout.reject(key, path, wrong_folder(path, "an expression"))
    rows.layout.notices.add("images are not in labels.csv; their folder is their label", path)
    return rows.labeled(key, path, folder, class_folder(path), None, _split_word(path))


def _images(tree: FileTree) -> dict[str, list[str]]:
    """Return the images by folder and name in lower case; Train and Test may have the same."""
    found: dict[str, list[str]] = {}
    for path in tree.images():
        key = f"{class_folder(path)}/{file_name(path)}".lower()
        found.setdefault(key, []).append(path)
    return found


def _split_word(path: str) -> str | None:
    """Return the copy's word for a split, which is not the authors'; None if there is none."""
    word = class_folder(folder_name(path))
    return word if _SPLIT.fullmatch(word) else None


def _confidence(word: str) -> float | None:
    value = real_number(word)
    return value if value is not None and 0 <= value <= 1 else None
