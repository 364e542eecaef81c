"""FER2013: 35,887 gray crops of 48×48 pixels from the web, seven expressions.

Layouts, codes and counts: manifests/datasets/fer2013.yaml.
Source: Goodfellow et al., ICONIP 2013.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ferdata.core.labels import BASIC7
from ferdata.core.pixel_rows import PIXELS
from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import register
from ferdata.ingesters.class_folders import (
    SPLIT_FOLDER,
    class_folder,
    class_of,
    split_folder,
    wrong_folder,
)
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.pixel_tables import open_table, read_labeled_rows, try_header
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, file_stem, folder_name

USAGES = {"training": "train", "publictest": "validation", "privatetest": "test"}
"""Official split by the authors' word for it, in lower case."""

TABLE_COLUMNS = ("emotion", PIXELS, "usage")
"""The columns of the csv, in lower case."""

_OWN_NAMES = ("fer2013.csv", "icml_face_data.csv")
_NAMED = re.compile(r"(?P<usage>Training|PublicTest|PrivateTest)_\d+", re.IGNORECASE)
_OTHER_CODES = "ckextended.csv has codes 0–7 and 920 rows, use `ferdata build ckplus`"


@register("fer2013")
class Fer2013(Ingester):
    """The csv in both of its forms, Kaggle's folders, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find a csv with emotion and pixels, or images in class folders."""
        return [*self._tables(tree), *self._folders(tree)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows of the csv, or the images sorted by path."""
        return self._read_table(layout) if layout.lists else self._read_folders(layout)

    def _tables(self, tree: FileTree) -> Iterator[Layout]:
        for path, confidence in pixel_tables(tree).items():
            header = try_header(tree, path)
            # Kaggle's copy of the contest has spaces in its header and the pixels last.
            name = "icml" if header[-1:] == (PIXELS,) and "usage" in header else "csv"
            evidence = f"{path} has the columns {', '.join(filter(None, header))}"
            if not header:
                evidence = f"{path} is there and can't be read"
            yield Layout.below(
                tree, folder_name(path), self.name, name, confidence, evidence, lists=[path]
            )

    def _folders(self, tree: FileTree) -> list[Layout]:
        images = tree.images()
        named = [path for path in images if class_of(path) and _NAMED.fullmatch(file_stem(path))]
        if named:
            evidence = f"{len(named):,} files named like Training_123.jpg in class folders"
            return [Layout.below(tree, _base(named), self.name, "kaggle", 0.95, evidence)]
        classed = [path for path in images if class_of(path) in BASIC7]
        folders = set(map(class_folder, images))
        if not classed and {"0"} <= folders <= {str(code) for code in self.info.codes}:
            classed = images
        if not classed:
            return []
        evidence = f"{len(classed):,} images in folders named after classes, as in other datasets"
        confidence = 0.35 if len(set(map(class_folder, classed))) >= len(BASIC7) else 0.2
        return [
            Layout.below(tree, _base(classed), self.name, "class-folders", confidence, evidence)
        ]

    def _read_table(self, layout: Layout) -> Iterator[Sample | Reject]:
        rows = open_table(layout, layout.lists[0], TABLE_COLUMNS)
        for each in read_labeled_rows(layout, rows, self.info.codes, _OTHER_CODES):
            if isinstance(each, Reject):
                yield each
                continue
            row, label = each
            usage = row.word("usage")
            split = USAGES.get(usage.lower())
            if split is None:
                yield layout.reject(row.key, row.uri, wrong_usage(usage))
            else:
                yield Sample(
                    row.key,
                    row.uri,
                    label,
                    str(row.number("emotion")),
                    official_split=split,
                    split_native=usage,
                )

    def _read_folders(self, layout: Layout) -> Iterator[Sample | Reject]:
        layout.tree.require_readable()
        seen: dict[str, str] = {}
        codes = {str(code): name for code, name in self.info.codes.items()}
        for path in layout.tree.images():
            named = _NAMED.fullmatch(file_stem(path)) if layout.name == "kaggle" else None
            key = file_stem(path) if named else path.rpartition(".")[0]
            folder = class_folder(path)
            label = class_of(path) or codes.get(folder)
            if label not in BASIC7 or label is None:
                reason = wrong_folder(path, ", ".join(BASIC7.names))
                yield layout.reject(key, path, reason)
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
                    folder,
                    official_split=USAGES[named["usage"].lower()] if named else None,
                    split_native=named["usage"] if named else split_folder(path),
                )


def pixel_tables(tree: FileTree) -> dict[str, float]:
    """Return the csv files of a tree that contain FER2013, the most certain first.

    Those with the columns emotion and pixels, except CK+'s; and those with FER2013's own names,
    whatever their columns, so that a damaged header is reported and not overlooked.

    Returns:
        How certain each is, by its path; 0.5 if a column is missing.
    """
    found = []
    for path in tree.files:
        name = file_name(path).lower()
        if name.endswith(".csv") and not name.startswith("ckextended"):
            header = set(try_header(tree, path))
            if header >= set(TABLE_COLUMNS):
                # The contest offers the same rows under both names; equal numbers would be a tie.
                own = name in _OWN_NAMES
                confidence = 0.95 - 0.01 * _OWN_NAMES.index(name) if own else 0.6
                found.append((-confidence, path.count("/"), path))
            elif header >= {"emotion", PIXELS} or name in _OWN_NAMES:
                found.append((-0.5, path.count("/"), path))
    return {path: -confidence for confidence, _, path in sorted(found)}


def wrong_usage(usage: str) -> str:
    """Return the reason for rejecting a row whose Usage is not one of the authors' three."""
    return f"usage {usage}: expected Training, PublicTest or PrivateTest"


def _base(paths: list[str]) -> str:
    """Return the folder above those of all classes, and above those of the splits if any."""
    bases = set()
    for folder in set(map(folder_name, paths)):
        base = folder_name(folder)
        bases.add(folder_name(base) if SPLIT_FOLDER.fullmatch(file_name(base)) else base)
    return common_folder(bases)
