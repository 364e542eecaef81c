"""JAFFE: 213 pictures of ten Japanese women, seven posed expressions, rated by 60 viewers.

Layouts, codes and counts: manifests/datasets/jaffe.yaml.
Source: Lyons, Akamatsu, Kamachi and Gyoba, FG 1998.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ferdata.core.images import IMAGE_SUFFIXES
from ferdata.core.manifest import Reject
from ferdata.ingesters.class_folders import class_of
from ferdata.ingesters.contract import Choices, Ingester, Layout, register, reject
from ferdata.ingesters.jaffe.ratings import (
    Ratings,
    rating_files,
    read_ratings,
    soft_label,
)
from ferdata.ingesters.named_copies import NamedCopy, named_copies
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

EXPRESSIONS = {
    "NE": "neutral",
    "HA": "happiness",
    "SA": "sadness",
    "SU": "surprise",
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
}

_NAME = re.compile(
    r"(?P<subject>[A-Z]{2})\.(?P<code>AN|DI|FE|HA|NE|SA|SU)(?P<take>\d)\.(?P<serial>\d+)",
    re.IGNORECASE,
)


@register("jaffe")
class Jaffe(Ingester):
    """The official folder of tiffs, flat or nested, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find files named like KA.AN1.39.tiff."""
        keys = {path: name.key for path in tree.files if (name := _parse(path))}
        if not keys:
            return []
        copies = named_copies(keys, _home)
        largest = copies[0].size
        layouts = [self._layout(tree, copy, copy.size < largest / 2) for copy in copies]
        return sorted(layouts, key=lambda layout: -layout.confidence)

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the files sorted by name."""
        layout.tree.require_readable()
        findings = Findings(self.name)
        ratings = read_ratings(layout.root, layout.lists, findings)
        named = {path: name for path in layout.tree.files if (name := _parse(path))}
        inside = common_folder(map(_home, named))  # a readme may lie above it
        seen: dict[str, str] = {}
        for path in sorted(layout.tree.files, key=lambda path: (file_name(path), path)):
            name = named.get(path)
            if name is None:
                if _is_image(path) and path.startswith(f"{inside}/" if inside else ""):
                    reason = f"file name: {file_name(path)} is not like KA.AN1.39.tiff"
                    yield reject(self.name, "", path, reason)
            elif name.key in seen:
                yield reject(self.name, name.key, path, f"duplicate id: also {seen[name.key]}")
            else:
                seen[name.key] = path
                yield self._row(layout, path, name, ratings, findings)
        rated = {name.rating_key for name in named.values()}
        for key in ratings:
            if key not in rated:
                findings.add("ratings have no picture", key)
        findings.log()

    def _layout(self, tree: FileTree, copy: NamedCopy, is_fragment: bool) -> Layout:
        """Describe a copy; a fragment lies beside a much larger copy."""
        in_classes = sum(class_of(path) is not None for path in copy.paths.values())
        name = "class-folders" if in_classes > len(copy.paths) / 2 else "official"
        evidence = [f"{copy.size:,} files named like KA.AN1.39.tiff"]
        lists = rating_files(tree, copy.base)
        if lists:
            evidence.append(f"ratings in {', '.join(lists)}")
        base = min((copy.base, *map(folder_name, lists)), key=len)
        cut = len(base) + 1 if base else 0
        sure = {"official": 0.95, "class-folders": 0.9}[name]
        return Layout(
            self.name,
            name,
            "images",
            tree.below(base),
            tuple(path[cut:] for path in lists),
            0.5 if is_fragment else sure,
            tuple(evidence),
        )

    def _row(
        self, layout: Layout, path: str, name: _Name, ratings: Ratings, findings: Findings
    ) -> Sample | Reject:
        """Return a picture's sample, or why there is none."""
        if layout.name == "class-folders" and class_of(path) != name.label:
            folder = class_of(path) or file_name(folder_name(path)) or "."
            reason = f"folder and name disagree: folder {folder}, name {name.label} ({name.code})"
            return reject(self.name, name.key, path, reason)
        rating = ratings.get(name.rating_key)
        if ratings and rating is None:
            findings.add("pictures have no rating", path)
        return Sample(
            key=name.key,
            uri=path,
            label=name.label,
            label_native=name.code,
            soft_label=None if rating is None or name.label == "neutral" else soft_label(rating),
            subject=name.subject,
            gender="female",
        )


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


def _parse(path: str) -> _Name | None:
    """Read a file name; None for one that is not JAFFE's."""
    match = _NAME.fullmatch(file_name(path).rpartition(".")[0].upper())
    if match is None or not _is_image(path):
        return None
    return _Name(match[0], match["subject"], match["code"], match["take"])


def _is_image(path: str) -> bool:
    return f".{path.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES


def _home(path: str) -> str:
    """Return a file's folder, or the one above it where that is named after a class."""
    folder = folder_name(path)
    return folder_name(folder) if class_of(path) is not None else folder
