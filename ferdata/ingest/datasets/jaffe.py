"""JAFFE: 213 pictures of ten Japanese women, seven posed expressions, rated by 60 viewers.

Layouts, codes and counts: manifests/datasets/jaffe.yaml.
Source: Lyons, Akamatsu, Kamachi and Gyoba, FG 1998.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ferdata.ingest.base import Choices, Ingester, Layout, register, reject
from ferdata.ingest.class_folders import class_of
from ferdata.ingest.findings import Findings
from ferdata.ingest.label_list import read_lines
from ferdata.ingest.sample import Sample
from ferdata.ingest.tree import FileTree, file_name, folder_name
from ferdata.labels import CANONICAL
from ferdata.manifest import Reject

EXPRESSIONS = {
    "NE": "neutral",
    "HA": "happiness",
    "SA": "sadness",
    "SU": "surprise",
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
}

RATED = ("happiness", "sadness", "surprise", "anger", "disgust", "fear")
"""The columns of the ratings in the readme, in order; neutral was not rated."""

LOWEST_RATING = 1.0
"""Ratings run from 1, not at all, to 5, very much so [readme]."""

_NAME = re.compile(
    r"(?P<subject>[A-Z]{2})\.(?P<code>AN|DI|FE|HA|NE|SA|SU)(?P<take>\d)\.(?P<serial>\d+)"
    r"\.(?P<ending>tiff?|jpe?g|png|bmp)",
    re.IGNORECASE,
)
_README = re.compile(r"(a_)?readme(_first)?(\.txt)?", re.IGNORECASE)
_RATING = re.compile(r"\s*\d+((?:\s+\d(?:\.\d+)?){6})\s+([A-Z]{2})-([A-Z]{2}\d)\s*")


@register("jaffe")
class Jaffe(Ingester):
    """The official folder of tiffs, flat or nested, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find files named like KA.AN1.39.tiff."""
        named = [path for path in tree.files if _NAME.fullmatch(file_name(path))]
        if not named:
            return []
        in_classes = sum(class_of(path) is not None for path in named) > len(named) / 2
        folders = {folder_name(path) for path in named}
        base = min(folders, key=lambda folder: (len(folder), folder))
        if in_classes or len(folders) > 1:
            base = folder_name(base)
        inside = tree.below(base)
        readmes = tuple(path for path in inside.files if _README.fullmatch(file_name(path)))
        evidence = [f"{len(named):,} files named like KA.AN1.39.tiff"]
        if readmes:
            evidence.append(f"a readme, maybe with ratings: {', '.join(readmes)}")
        name = "class-folders" if in_classes else "official"
        return [Layout(self.name, name, "images", inside, readmes, 0.95, tuple(evidence))]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the files sorted by name."""
        layout.tree.require_readable()
        findings = Findings(self.name)
        ratings = _read_ratings(layout, findings)
        seen: dict[str, str] = {}
        for path in sorted(layout.tree.files, key=lambda path: (file_name(path), path)):
            match = _NAME.fullmatch(file_name(path))
            if match is None:
                if path.lower().endswith((".tif", ".tiff", ".jpg", ".jpeg", ".png", ".bmp")):
                    reason = f"file name: {file_name(path)} is not like KA.AN1.39.tiff"
                    yield reject(self.name, "", path, reason)
                continue
            name = _Name.of(match)
            if name.key in seen:
                yield reject(self.name, name.key, path, f"duplicate id: also {seen[name.key]}")
                continue
            seen[name.key] = path
            if layout.name == "class-folders" and class_of(path) != name.label:
                folder = file_name(folder_name(path)) or "."
                reason = f"folder and name disagree: folder {folder}, name {name.label}"
                yield reject(self.name, name.key, path, reason)
                continue
            rating = ratings.pop(name.rating_key, None)
            if layout.lists and ratings and rating is None:
                findings.add("images have no rating in the readme", path)
            yield name.sample(path, rating)
        for key in ratings:
            findings.add("ratings of the readme have no image", key)
        findings.log()


@dataclass(frozen=True, slots=True)
class _Name:
    """What a file name says."""

    key: str
    subject: str
    code: str
    take: str

    @classmethod
    def of(cls, match: re.Match[str]) -> _Name:
        key = match[0].rpartition(".")[0].upper()
        return cls(key, match["subject"].upper(), match["code"].upper(), match["take"])

    @property
    def label(self) -> str:
        return EXPRESSIONS[self.code]

    @property
    def rating_key(self) -> str:
        return f"{self.subject}-{self.code}{self.take}"

    def sample(self, path: str, rating: tuple[float, ...] | None) -> Sample:
        return Sample(
            key=self.key,
            uri=path,
            label=self.label,
            label_native=self.code,
            soft_label=None if rating is None or self.code == "NE" else soft_label(rating),
            subject=self.subject,
            gender="female",
        )


def soft_label(rating: tuple[float, ...]) -> tuple[float, ...] | None:
    """Turn viewers' mean ratings into shares of the six rated expressions.

    A share is (rating − 1) over the sum of these: 1, "not at all", counts nothing.

    Args:
        rating: Six means from 1 to 5, in the order of `RATED`.

    Returns:
        Eight shares in the order of `CANONICAL`; None where nobody saw anything.
    """
    above = {
        name: max(value - LOWEST_RATING, 0.0) for name, value in zip(RATED, rating, strict=True)
    }
    total = sum(above.values())
    return tuple(above.get(name, 0.0) / total for name in CANONICAL) if total else None


def _read_ratings(layout: Layout, findings: Findings) -> dict[str, tuple[float, ...]]:
    """Read the readme's table of ratings: `1 2.87 2.52 2.10 1.97 1.97 2.06 KM-NE1`."""
    ratings: dict[str, tuple[float, ...]] = {}
    for path in layout.lists:
        for line in read_lines(Path(layout.root) / path):
            match = _RATING.fullmatch(line)
            if match is None:
                continue
            key = f"{match[2]}-{match[3]}"
            if key in ratings:
                findings.add("images are rated twice; the first rating counts", key)
            ratings.setdefault(key, tuple(map(float, match[1].split())))
    return ratings
