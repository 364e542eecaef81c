"""KDEF: 70 people, seven expressions, five angles, two sessions; 4,900 photographs.

Layouts, codes and counts: manifests/datasets/kdef.yaml.
Source: Lundqvist, Flykt and Öhman, Karolinska Institutet 1998.

AF in a file name is "afraid", which is fear; AN is anger. AF01 and BF01 are one woman in
two sessions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ferdata.core.errors import LabelError
from ferdata.core.images import IMAGE_SUFFIXES
from ferdata.core.manifest import Reject
from ferdata.ingesters.class_folders import class_of, foreign_folder
from ferdata.ingesters.contract import Choices, Ingester, Layout, register, reject
from ferdata.ingesters.info import UNSPLIT, Counts
from ferdata.ingesters.kdef.names import (
    AVERAGES,
    EXPRESSIONS,
    POSES,
    home,
    is_average,
    parse,
    sitting_of,
)
from ferdata.ingesters.label_list import WRONG_CODES
from ferdata.ingesters.named_copies import NamedCopy, named_copies
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

SELECTED = {"straight": ("S",), "half": ("HL", "S", "HR"), "all": tuple(POSES)}
"""The angles of each value of `--poses`."""

SITTINGS = 140
"""70 people, each in two sessions."""

_GROUPED = re.compile(r"(?P<group>\d+)_(?P<image>[^/]+)\.[a-z]+", re.IGNORECASE)
_LEFT_OUT = "averaged faces of AKDEF are left out, since they show everybody"


@dataclass(frozen=True)
class _NamedLayout(Layout):
    """A layout with the original names, and the averages that lie beside its root."""

    averages: tuple[str, ...] = ()


@register("kdef")
class Kdef(Ingester):
    """The official tree, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find images by KDEF's file names, or class folders with names like `17_3.jpg`."""
        images = [path for path in tree.files if _is_image(path)]
        keys = {path: name.key for path in images if (name := parse(path))}
        if keys:
            copies = named_copies(keys, home)
            largest = copies[0].size
            layouts = [self._named(tree, copy, copy.size < largest / 2) for copy in copies]
            return sorted(layouts, key=lambda layout: -layout.confidence)
        grouped = [path for path in images if _is_grouped(path)]
        return [self._grouped(tree, grouped)] if grouped else []

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the files sorted by name; poses that were not chosen are only counted."""
        layout.tree.require_readable()
        findings = Findings(self.name)
        if layout.name == "kaggle":
            yield from self._read_grouped(layout.tree, choices, findings)
        else:
            yield from self._read_named(layout, choices, findings)
        findings.log()

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return 140 images of each class for each angle that is chosen."""
        if layout.name != "official":
            return super().expected_counts(layout, choices)
        angles = len(SELECTED[choices["poses"]])
        return {UNSPLIT: dict.fromkeys(EXPRESSIONS.values(), 140 * angles)}

    def _named(self, tree: FileTree, copy: NamedCopy, is_fragment: bool) -> Layout:
        """Describe a copy with the original names; a fragment lies beside a much larger copy."""
        in_classes = sum(class_of(path) is not None for path in copy.paths.values())
        name = "class-folders" if in_classes > len(copy.paths) / 2 else "official"
        evidence = [f"{copy.size:,} files named like AF01AFS.JPG"]
        base = copy.base
        beside = f"{folder_name(base)}/{AVERAGES}/".lstrip("/")
        averages = tuple(path for path in tree.files if base and path.startswith(beside))
        if averages:
            evidence.append(f"{AVERAGES} beside it, averages over all people, which are not read")
        sure = {"official": 0.95, "class-folders": 0.9}[name]
        return _NamedLayout(
            self.name,
            name,
            "images",
            tree.below(base),
            (),
            0.5 if is_fragment else sure,
            tuple(evidence),
            averages=averages,
        )

    def _grouped(self, tree: FileTree, paths: list[str]) -> Layout:
        """Describe class folders whose file names begin with a number of a sitting."""
        classes: dict[str, set[str | None]] = {}
        for path in paths:
            classes.setdefault(file_name(path).partition("_")[0], set()).add(class_of(path))
        spread = sum(map(len, classes.values())) / len(classes)
        found = {class_of(path) for path in paths}
        # Everybody shows every expression; numbers that other datasets begin with don't recur so.
        fits = found == set(EXPRESSIONS.values()) and len(classes) <= SITTINGS and spread > 5
        evidence = (
            f"{len(paths):,} files named like 17_3.jpg in folders named after classes, with "
            f"{len(classes)} first numbers, each in {spread:.1f} classes on average"
        )
        base = common_folder(folder_name(folder_name(path)) for path in paths)
        sure = 0.6 if fits else 0.3
        return Layout(self.name, "kaggle", "images", tree.below(base), (), sure, (evidence,))

    def _read_named(
        self, layout: Layout, choices: Choices, findings: Findings
    ) -> Iterator[Sample | Reject]:
        poses = SELECTED[choices["poses"]]
        seen: dict[str, str] = {}
        if isinstance(layout, _NamedLayout) and layout.averages:
            findings.add(_LEFT_OUT, layout.averages[0], len(layout.averages))
        for path in sorted(filter(_is_image, layout.tree.files), key=lambda p: (file_name(p), p)):
            name = parse(path)
            if name is None and is_average(path):
                findings.add(_LEFT_OUT, path)
                continue
            if name is None:
                yield reject(self.name, "", path, f"file name: {file_name(path)} is not KDEF's")
                continue
            if name.mended:
                findings.add("files have an irregular name, read as what they are", path)
            if name.sitting != sitting_of(path, name.sitting):
                findings.add("files lie in the folder of another sitting; the name counts", path)
            folder = class_of(path) if layout.name == "class-folders" else None
            if name.key in seen:
                yield reject(self.name, name.key, path, f"duplicate id: also {seen[name.key]}")
            elif folder not in (None, name.label):
                said = f"name {name.label} ({name.code})"
                reason = f"folder and name disagree: folder {folder}, {said}"
                yield reject(self.name, name.key, path, reason)
            elif layout.name == "class-folders" and folder is None:
                reason = foreign_folder(path, "one of the seven classes")
                yield reject(self.name, name.key, path, reason)
            elif name.angle not in poses:
                findings.add(
                    f"images in other poses are left out by --poses {choices['poses']}", path
                )
            else:
                yield name.sample(path)
            seen.setdefault(name.key, path)

    def _read_grouped(
        self, tree: FileTree, choices: Choices, findings: Findings
    ) -> Iterator[Sample | Reject]:
        images = sorted(path for path in tree.files if _is_image(path))
        unknown = [path for path in images if class_of(path) is None]
        if len(unknown) > max(1, WRONG_CODES * len(images)):
            raise LabelError(
                f"kdef: {unknown[0]} is in no class folder, and so are {len(unknown)} of "
                f"{len(images)} images; expected {', '.join(EXPRESSIONS.values())}."
            )
        seen: dict[str, str] = {}
        for path in images:
            match, label = _GROUPED.fullmatch(file_name(path)), class_of(path)
            key = path.rpartition(".")[0]
            if key in seen:
                yield reject(self.name, key, path, f"duplicate id: also {seen[key]}")
                continue
            seen[key] = path
            if label is None or label == "contempt":
                reason = foreign_folder(path, "one of the seven classes")
                yield reject(self.name, key, path, reason)
            elif match is None:
                yield reject(self.name, key, path, "file name: not like 17_3.jpg")
            else:
                findings.add(
                    "images without subject and pose (this copy lost them): people can't be held "
                    f"apart, and --poses {choices['poses']} chooses nothing",
                    path,
                )
                native = file_name(folder_name(path))
                yield Sample(key, path, label, native, session=match["group"])


def _is_image(path: str) -> bool:
    return f".{path.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES


def _is_grouped(path: str) -> bool:
    return class_of(path) is not None and _GROUPED.fullmatch(file_name(path)) is not None
