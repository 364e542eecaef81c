"""AffectNet re-made on Kaggle: class folders, and labels.csv that often says something else."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ferdata.core.errors import AnnotationError, LabelError
from ferdata.core.images import IMAGE_SUFFIXES
from ferdata.core.labels import canonical_name
from ferdata.core.manifest import Reject
from ferdata.core.pixel_rows import read_header
from ferdata.ingesters.affectnet.rows import NAME, Rows
from ferdata.ingesters.class_folders import class_of, foreign_folder
from ferdata.ingesters.contract import Choices, Layout, reject
from ferdata.ingesters.label_list import read_lines
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name

_COLUMNS = ("pth", "label", "relfcs")
_SPLIT = re.compile(r"train|test", re.IGNORECASE)


def detect(tree: FileTree) -> list[Layout]:
    """Find labels.csv with the columns pth, label and relFCs."""
    layouts = []
    for path in tree.files:
        if file_name(path).lower() != "labels.csv":
            continue
        try:
            header = read_header(tree.root / path)
        except AnnotationError:
            continue
        if set(_COLUMNS) <= set(header):
            inside = tree.below(folder_name(path))
            images = sum(class_of(each) is not None for each in inside.files)
            evidence = (f"{path} with pth, label and relFCs", f"{images:,} files in class folders")
            sure = 0.95 if images else 0.5
            layouts.append(
                Layout(NAME, "kaggle", "manual", inside, (file_name(path),), sure, evidence)
            )
    return layouts


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the lines of labels.csv, then the images that it does not name.

    Raises:
        AnnotationError: labels.csv can't be read.
        LabelError: Most of its labels are no expressions.
    """
    rows, findings = Rows(layout, choices), Findings(NAME)
    images = _images(layout.tree)
    used: set[str] = set()
    seen: set[str] = set()
    wrong = 0
    lines = list(_lines(layout))
    for line in lines:
        key = line.path.rpartition(".")[0]
        if line.path.lower() in seen:
            yield reject(NAME, key, line.uri, "duplicate id: named on an earlier line")
            continue
        seen.add(line.path.lower())
        places = images.get(line.path.lower(), [])
        label = _expression(line.label)
        if not places:
            yield reject(NAME, key, line.uri, f"missing image: no {line.path}")
        elif label is None:
            wrong += 1
            used.update(places)
            yield reject(NAME, key, line.uri, f"label {line.label}: expected an expression")
        for place in places if label is not None else []:
            used.add(place)
            yield _row(rows, place, label, line, choices, findings)
    for places in images.values():
        for place in places:
            if place not in used:
                yield from _unlisted(rows, place, findings)
    if wrong > max(1, len(lines) // 20):
        raise LabelError(
            f"affectnet: {wrong} of {len(lines)} lines of {layout.root / layout.lists[0]} have "
            "labels that are no expressions; this is another list."
        )
    findings.log()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of labels.csv."""

    path: str
    label: str
    confidence: float | None
    uri: str


def _lines(layout: Layout) -> Iterator[_Line]:
    table = layout.lists[0]
    lines = read_lines(layout.root / table)
    header = [word.strip().lower() for word in next(csv.reader(lines[:1]))]
    places = [header.index(column) for column in _COLUMNS]
    for number, text in enumerate(lines[1:], start=2):
        cells = next(csv.reader([text]), [])
        if len(cells) != len(header):
            cells = [""] * len(header)
        path, label, confidence = (cells[place].strip() for place in places)
        yield _Line(path, label, _confidence(confidence), f"{table}#{number}")


def _row(
    rows: Rows,
    place: str,
    label: str | None,
    line: _Line,
    choices: Choices,
    findings: Findings,
) -> Sample | Reject:
    """Return the row of an image that the csv names; both labels are recorded."""
    folder = class_of(place)
    native = line.label
    if folder is not None and folder != label:
        native = f"{line.label} (folder {file_name(folder_name(place))})"
        findings.add("images are in a folder of another class than the csv says", place)
    chosen = folder if choices["label_source"] == "folder" and folder else str(label)
    return rows.labeled(
        place.rpartition(".")[0],
        place,
        chosen,
        native,
        None,
        _split_word(place),
        label_confidence=line.confidence,
    )


def _unlisted(rows: Rows, place: str, findings: Findings) -> Iterator[Sample | Reject]:
    """Yield the row of an image that the csv does not name, by its folder."""
    folder, key = class_of(place), place.rpartition(".")[0]
    if folder is None:
        yield reject(NAME, key, place, foreign_folder(place, "an expression"))
        return
    findings.add("images are not in labels.csv; the folder is their label", place)
    word = file_name(folder_name(place))
    yield rows.labeled(key, place, folder, word, None, _split_word(place))


def _images(tree: FileTree) -> dict[str, list[str]]:
    """Return the images by folder and name, in lower case: Train and Test may have the same."""
    found: dict[str, list[str]] = {}
    for path in tree.files:
        if f".{path.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES:
            key = f"{file_name(folder_name(path))}/{file_name(path)}".lower()
            found.setdefault(key, []).append(path)
    return found


def _split_word(path: str) -> str | None:
    """Return the copy's word for a split, which is not the authors'; None where it has none."""
    word = file_name(folder_name(folder_name(path)))
    return word if _SPLIT.fullmatch(word) else None


def _expression(word: str) -> str | None:
    try:
        return canonical_name(word)
    except LabelError:
        return None


def _confidence(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None
