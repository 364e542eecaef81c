"""KDEF: 70 subjects, seven expressions, five angles, two sessions; 4,900 photographs.

Layouts, codes and counts: manifests/datasets/kdef.yaml.
Source: Lundqvist, Flykt and Öhman, Karolinska Institutet 1998.

AF in a file name is "afraid", which is fear; AN is anger. AF01 and BF01 are one woman in
two sessions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ferdata.core.errors import LabelError
from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import register
from ferdata.ingesters.class_folders import class_folder, class_of, wrong_folder
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.copies import NamedCopy, named_copies
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import UNSPLIT, Counts
from ferdata.ingesters.kdef.names import (
    AVERAGES,
    EXPRESSIONS,
    POSES,
    home,
    is_average,
    parse,
    session_folder,
)
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, by_name, common_folder, file_name, folder_name

SELECTED = {"straight": ("S",), "half": ("HL", "S", "HR"), "all": tuple(POSES)}
"""The angles of each value of `--poses`."""

SESSIONS = 140
"""70 subjects, each in two sessions."""

_GROUPED = re.compile(r"(?P<group>\d+)_(?P<image>[^/]+)\.[a-z]+", re.IGNORECASE)
_IGNORED_AVERAGES = "averaged faces of AKDEF are ignored, because each shows all subjects"


@register("kdef")
class Kdef(Ingester):
    """The official tree, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find images by KDEF's file names, or class folders with names like `17_3.jpg`."""
        images = tree.images()
        keys = {path: name.key for path in images if (name := parse(path))}
        if keys:
            return [self._named(tree, copy) for copy in named_copies(keys, home)]
        grouped = [
            path for path in images if class_of(path) and _GROUPED.fullmatch(file_name(path))
        ]
        return [self._grouped(tree, grouped)] if grouped else []

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the files sorted by name; poses that were not chosen are only counted."""
        layout.tree.require_readable()
        read = _read_grouped if layout.name == "kaggle" else _read_named
        return read(layout, choices["poses"])

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return 140 images of each class for each chosen angle."""
        if layout.name != "official":
            return super().expected_counts(layout, choices)
        angles = len(SELECTED[choices["poses"]])
        return {UNSPLIT: dict.fromkeys(EXPRESSIONS.values(), 140 * angles)}

    def _named(self, tree: FileTree, copy: NamedCopy) -> Layout:
        """Describe a copy with the original names."""
        base = copy.base
        beside = f"{folder_name(base)}/{AVERAGES}/".lstrip("/")
        averages = [path for path in tree.files if base and path.startswith(beside)]
        beside_it = f"{AVERAGES} beside it, averages over all subjects, not read"
        evidence = [Evidence(Sign.FOLDERS, beside_it)]
        layout = copy.layout(
            tree, self.name, "AF01AFS.JPG", *(evidence if averages else []), base=base
        )
        if averages:
            layout.notices.add(_IGNORED_AVERAGES, averages[0], len(averages))
        return layout

    def _grouped(self, tree: FileTree, paths: list[str]) -> Layout:
        """Describe class folders whose file names begin with the number of a session."""
        classes: dict[str, set[str | None]] = {}
        for path in paths:
            classes.setdefault(file_name(path).partition("_")[0], set()).add(class_of(path))
        mean = sum(map(len, classes.values())) / len(classes)
        found = set(map(class_of, paths))
        # Each subject shows each expression; other datasets' numbers don't recur in this way.
        fits = found >= set(EXPRESSIONS.values()) and len(classes) <= SESSIONS and mean > 5
        evidence = Evidence(
            Sign.FILE if fits else Sign.FOLDERS,
            f"{len(paths):,} files named like 17_3.jpg in folders named after classes, with "
            f"{len(classes)} first numbers, each in {mean:.1f} classes on average",
        )
        base = common_folder(folder_name(folder_name(path)) for path in paths)
        return Layout.below(tree, base, self.name, "kaggle", evidence)


def _read_named(layout: Layout, poses: str) -> Iterator[Sample | Reject]:
    seen: dict[str, str] = {}
    for path in by_name(layout.tree.images()):
        name = parse(path)
        if name is None and is_average(path):
            layout.ignored[path] = _IGNORED_AVERAGES
            continue
        if name is None:
            yield layout.reject("", path, f"file name: {file_name(path)} is not KDEF's")
            continue
        if name.is_irregular:
            layout.notices.add("files have an irregular name, read as what they are", path)
        if name.session_subject != session_folder(path, name.session_subject):
            layout.notices.add("files lie in the folder of another session; the name counts", path)
        folder = class_of(path) if layout.name == "class-folders" else None
        if name.key in seen:
            yield layout.reject(name.key, path, f"duplicate id: also {seen[name.key]}")
        elif folder not in (None, name.label):
            said = f"name {name.label} ({name.code})"
            reason = f"folder and name disagree: folder {folder}, {said}"
            yield layout.reject(name.key, path, reason)
        elif layout.name == "class-folders" and folder is None:
            reason = wrong_folder(path, "one of the seven classes")
            yield layout.reject(name.key, path, reason)
        elif name.angle not in SELECTED[poses]:
            layout.ignored[path] = f"images in other poses than --poses {poses}"
        else:
            yield name.sample(path)
        seen.setdefault(name.key, path)


def _read_grouped(layout: Layout, poses: str) -> Iterator[Sample | Reject]:
    images = layout.tree.images()
    unknown = [path for path in images if class_of(path) is None]
    if is_other_dataset(len(unknown), len(images)):
        raise LabelError(
            f"kdef: {layout.root / unknown[0]} is in no class folder, one of {len(unknown)} of "
            f"{len(images)} images. Expected folders {', '.join(EXPRESSIONS.values())}."
        )
    seen: dict[str, str] = {}
    for path in images:
        match, label = _GROUPED.fullmatch(file_name(path)), class_of(path)
        key = path.rpartition(".")[0]
        if key in seen:
            yield layout.reject(key, path, f"duplicate id: also {seen[key]}")
            continue
        seen[key] = path
        if label is None or label == "contempt":
            yield layout.reject(key, path, wrong_folder(path, "one of the seven classes"))
        elif match is None:
            yield layout.reject(key, path, "file name: not like 17_3.jpg")
        else:
            layout.notices.add(
                "images without subject and pose (this copy lost them): a subject-independent "
                f"split is impossible, and --poses {poses} has no effect",
                path,
            )
            yield Sample(key, path, label, class_folder(path), session=match["group"])
