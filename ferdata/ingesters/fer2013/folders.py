"""FER2013 as images in class folders: Kaggle's copy, and copies whose files were renamed.

Folders named after expressions prove nothing, since many sets have them. Kaggle's copy is known by
its file names, Training_123.jpg, which also tell the official split. Other copies are FER2013's if
their images have its 48×48 gray pixels, or its class shares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ferdata.core.image_header import image_header
from ferdata.core.labels import BASIC7
from ferdata.core.rejects import Reject
from ferdata.ingesters.class_folders import (
    SPLIT_FOLDER,
    class_folder,
    class_of,
    split_folder,
    wrong_folder,
)
from ferdata.ingesters.code_orders import CodeCounts, labels_by_code
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.fer2013.names import USAGES
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, file_stem, folder_name

_NAMED = re.compile(r"(?P<usage>Training|PublicTest|PrivateTest)_[0-9]+", re.IGNORECASE)
_SIDE = 48  # pixels
_SAMPLE = 24
"""Images whose sizes are looked at, evenly spread over a copy."""

_MOST = 0.75
"""Fraction of them that must have FER2013's size; strays may lie between."""

_MIN_ROWS = 200
"""The class shares of fewer images say nothing."""


def detect(tree: FileTree, info: DatasetInfo) -> Iterator[Layout]:
    """Find Kaggle's folders by their file names, else class folders that look like FER2013."""
    images = tree.images()
    classed = [path for path in images if class_of(path) in BASIC7 or _code(path) is not None]
    named = [path for path in classed if _NAMED.fullmatch(file_stem(path))]
    if named:
        evidence = f"{len(named):,} files named like Training_123.jpg in class folders"
        yield Layout.below(tree, _base(named), info.name, "kaggle", 0.95, evidence)
    elif evidence := _likeness(tree, classed, info):
        yield Layout.below(tree, _base(classed), info.name, "class-folders", 0.6, evidence)


def read(layout: Layout, info: DatasetInfo, codes: str) -> Iterator[Sample | Reject]:
    """Read images in class folders, sorted by path.

    Args:
        layout: What `detect` returned.
        info: FER2013's.
        codes: The order of folders named 0–6, see `ferdata.ingesters.code_orders`.

    Raises:
        OptionError: The folders are numbers, and nothing tells their order.
        LabelError: The order contradicts the class shares.
    """
    layout.tree.require_readable()
    label_of = _labels_of_codes(layout, info, codes)
    seen: dict[str, str] = {}
    for path in layout.tree.images():
        named = _NAMED.fullmatch(file_stem(path)) if layout.name == "kaggle" else None
        code = _code(path)
        label = class_of(path) or label_of.get(-1 if code is None else code)
        # Two names occur in two classes each, so a name alone is no key.
        key = f"{label}/{file_stem(path)}" if named else path.rpartition(".")[0]
        if label not in BASIC7 or label is None:
            yield layout.reject(key, path, wrong_folder(path, ", ".join(BASIC7.names)))
        elif layout.name == "kaggle" and not named:
            reason = "file name: not like Training_123.jpg, so its split is unknown"
            yield layout.reject(key, path, reason)
        elif key in seen:
            yield layout.reject(key, path, f"duplicate id: also {seen[key]}")
        else:
            seen[key] = path
            if not named:
                layout.notices.add("images have lost their place in the official split", path)
            yield Sample(
                key,
                path,
                label,
                class_folder(path),
                official_split=USAGES[named["usage"].lower()] if named else None,
                split_native=named["usage"] if named else split_folder(path),
            )


def _likeness(tree: FileTree, classed: list[str], info: DatasetInfo) -> str:
    """Say why images in class folders are FER2013's; empty if nothing says so."""
    sample = classed[:: max(1, len(classed) // _SAMPLE)]
    headers = [image_header(tree.root / path) for path in sample]
    if headers and headers.count((_SIDE, _SIDE, True)) >= _MOST * len(headers):
        return f"{len(classed):,} images in class folders, of {_SIDE}×{_SIDE} gray pixels"
    if len(classed) < _MIN_ROWS:
        return ""
    words = Counter(filter(None, map(class_of, classed)))
    named = CodeCounts.of(info, {BASIC7.index(label): rows for label, rows in words.items()})
    numbered = CodeCounts.of(info, Counter(_codes(classed)))
    fits = named.fits("alphabetical") if words else any(map(numbered.fits, numbered.possible()))
    if fits:
        return f"{len(classed):,} images in class folders, with the class shares of {info.name}"
    return ""


def _labels_of_codes(layout: Layout, info: DatasetInfo, asked: str) -> dict[int, str]:
    """Return the class of each folder that is a number; empty if there are none."""
    counts = Counter(_codes(layout.tree.images()))
    return labels_by_code(layout, info, counts, asked) if counts else {}


def _codes(paths: Iterable[str]) -> list[int]:
    """Return the numbers that files' folders are named after."""
    return [code for code in map(_code, paths) if code is not None]


def _code(path: str) -> int | None:
    """Return the number that a file's folder is named after, 0–9, or None."""
    word = class_folder(path)
    return int(word) if re.fullmatch("[0-9]", word) else None


def _base(paths: list[str]) -> str:
    """Return the folder above those of all classes, and above those of the splits if any."""
    bases = set()
    for folder in set(map(folder_name, paths)):
        base = folder_name(folder)
        bases.add(folder_name(base) if SPLIT_FOLDER.fullmatch(file_name(base)) else base)
    return common_folder(bases)
