"""JAFFE: 213 photographs of ten Japanese women, seven posed expressions, rated by 60 viewers.

Layouts, codes and counts: manifests/datasets/jaffe.yaml.
Source: Lyons, Akamatsu, Kamachi and Gyoba, FG 1998.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ferdata.core.image_formats import is_image
from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import register
from ferdata.ingesters.class_folders import above_class_folder, class_folder, class_of
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.copies import NamedCopy, named_copies
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.jaffe.ratings import Ratings, rating_files, read_ratings, soft_label
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import (
    FileTree,
    by_name,
    common_folder,
    file_name,
    file_stem,
    folder_name,
)

EXPRESSIONS = {
    "NE": "neutral",
    "HA": "happiness",
    "SA": "sadness",
    "SU": "surprise",
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
}
"""The letters of each expression in file names."""

_NAME = re.compile(
    r"(?P<subject>[A-Z]{2})\.(?P<code>AN|DI|FE|HA|NE|SA|SU)(?P<take>\d)\.(?P<serial>\d+)",
    re.IGNORECASE,
)
_EXAMPLE = "KA.AN1.39.tiff"


@register("jaffe")
class Jaffe(Ingester):
    """The official folder of tiffs, flat or nested, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find files named like KA.AN1.39.tiff."""
        keys = {path: name.key for path in tree.files if (name := _parse(path))}
        return [self._layout(tree, copy) for copy in named_copies(keys, above_class_folder)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the files sorted by name."""
        layout.tree.require_readable()
        ratings = read_ratings(layout)
        named = {path: name for path in layout.tree.files if (name := _parse(path))}
        inside = common_folder(map(above_class_folder, named))  # a readme may lie above it
        seen: dict[str, str] = {}
        for path in by_name(layout.tree.images()):
            name = named.get(path)
            if name is None:
                if path.startswith(f"{inside}/" if inside else ""):
                    reason = f"file name: {file_name(path)} is not like {_EXAMPLE}"
                    yield layout.reject("", path, reason)
            elif name.key in seen:
                yield layout.reject(name.key, path, f"duplicate id: also {seen[name.key]}")
            else:
                seen[name.key] = path
                yield _row(layout, path, name, ratings)
        rated = {name.rating_key for name in named.values()}
        for key in ratings:
            if key not in rated:
                layout.notices.add("ratings have no image", key)

    def _layout(self, tree: FileTree, copy: NamedCopy) -> Layout:
        lists = rating_files(tree, copy.base)
        ratings = Evidence(Sign.ANNOTATION, f"ratings in {', '.join(lists)}")
        evidence = [ratings] if lists else []
        base = min((copy.base, *map(folder_name, lists)), key=len)
        return copy.layout(tree, self.name, _EXAMPLE, *evidence, base=base, lists=lists)


@dataclass(frozen=True, slots=True)
class _Name:
    """What a file name says; the expression is in the letters, the digit only counts."""

    key: str
    subject: str
    code: str
    take: str

    @property
    def label(self) -> str:
        return EXPRESSIONS[self.code]

    @property
    def rating_key(self) -> str:
        return f"{self.subject}-{self.code}{self.take}"


def _row(layout: Layout, path: str, name: _Name, ratings: Ratings) -> Sample | Reject:
    """Return an image's sample or reject."""
    if layout.name == "class-folders" and class_of(path) != name.label:
        folder = class_of(path) or class_folder(path) or "."
        reason = f"folder and name disagree: folder {folder}, name {name.label} ({name.code})"
        return layout.reject(name.key, path, reason)
    rating = ratings.get(name.rating_key)
    if ratings and rating is None:
        layout.notices.add("images have no rating", path)
    return Sample(
        key=name.key,
        uri=path,
        label=name.label,
        label_native=name.code,
        soft_label=None if rating is None or name.label == "neutral" else soft_label(rating),
        subject=name.subject,
        gender="female",
    )


def _parse(path: str) -> _Name | None:
    """Read a file name; None for one that is not JAFFE's."""
    match = _NAME.fullmatch(file_stem(path).upper())
    if match is None or not is_image(path):
        return None
    return _Name(match[0], match["subject"], match["code"], match["take"])
