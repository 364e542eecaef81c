"""RAF-DB's official tree: a label list, images by file name, annotation files per image.

Images are found by name at any depth, since the zips inside the distribution extract to
`Image/aligned/` or `Image/aligned/aligned/`. One source of images is read, never a mixture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ferdata.core.errors import AnnotationError, LayoutError
from ferdata.core.manifest import Reject
from ferdata.ingesters.contract import Layout, reject
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import Entry, read_label_list
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.rafdb.annotation import SUFFIXES, read_auto, read_box, read_manual
from ferdata.ingesters.rafdb.names import image_key, image_source, official_split, text_list
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name, is_archive

LIST_NAMES = ("list_patition_label.txt", "list_partition_label.txt")
"""The label list; the first spelling is the distribution's own."""

SOURCES = ("aligned", "original")

_LIST_LINE = re.compile(r"^(train|test)_([0-9]+)\S*[ \t]+([0-9]+)[ \t\r]*$", re.MULTILINE)
_BASIC_CODES = 7
_BASIC, _COMPOUND = "rafdb", "rafdb-compound"


@dataclass
class RafFiles:
    """The files of one copy, by source or kind and sample key; paths relative to its root."""

    images: dict[str, dict[str, str]] = field(default_factory=lambda: {s: {} for s in SOURCES})
    annotations: dict[str, dict[str, str]] = field(
        default_factory=lambda: {k: {} for k in SUFFIXES}
    )
    twice: list[str] = field(default_factory=list)


def index(tree: FileTree) -> RafFiles:
    """Find images and annotation files by name; of two with one name, the least deep is taken."""
    files = RafFiles()
    for path in sorted(tree.files, key=lambda path: path.count("/")):
        name = file_name(path)
        key = image_key(name)
        if key is not None:
            found = files.images[image_source(path)]
            if key in found:
                files.twice.append(path)
            found.setdefault(key, path)
            continue
        for kind, suffix in SUFFIXES.items():
            if name.endswith(suffix):
                files.annotations[kind].setdefault(name.removesuffix(suffix).lower(), path)
    return files


def detect(tree: FileTree, dataset: DatasetInfo) -> list[Layout]:
    """Find the official tree of one part in or below a folder; best layout first."""
    layouts: list[Layout] = []
    lists = [path for path in tree.files if file_name(path).lower() in LIST_NAMES]
    for folder in dict.fromkeys(folder_name(path) for path in lists):
        together = [path for path in lists if folder_name(path) == folder]
        part, reason = _part(tree.root, together[0])
        if part == dataset.name:
            home = _home(tree, folder)
            cut = len(home) + 1 if home else 0
            evidence = f"label list {together[0]} ({reason})"
            inside = tuple(path[cut:] for path in together)
            layouts += _layouts(tree.below(home), dataset, inside, evidence)
    return sorted(layouts, key=lambda layout: -layout.confidence)


def read(layout: Layout, dataset: DatasetInfo, *, advice: str) -> Iterator[Sample | Reject]:
    """Read an official tree in the order of its list.

    Args:
        layout: What `detect` returned.
        dataset: The part's facts.
        advice: What to tell someone whose list has foreign label codes.

    Raises:
        LayoutError: No image of the layout's source is there, or a folder can't be listed.
        AnnotationError: The label list can't be read.
        LabelError: The label list has another dataset's codes.
    """
    layout.tree.require_readable()
    files = index(layout.tree)
    _require_images(layout, files)
    labels = read_label_list(layout.root, _one_list(layout), dataset, text_list(advice))
    findings = Findings(dataset.name)
    reader = _Reader(layout, dataset, files, findings)
    yield from labels.rejects
    for entry in labels.entries:
        yield reader.row(entry, labels.path)
    listed = {entry.key for entry in labels.entries} | labels.rejected
    _note_extras(layout, files, listed, findings)
    findings.log()


@dataclass
class _Reader:
    """Turns entries of the label list into rows."""

    layout: Layout
    dataset: DatasetInfo
    files: RafFiles
    findings: Findings

    def row(self, entry: Entry, list_path: str) -> Sample | Reject:
        """Return the sample of an entry, or the reason why there is none."""
        path = self.files.images[self.layout.source].get(entry.key)
        if path is None:
            other = SOURCES[1 - SOURCES.index(self.layout.source)]
            there = f" (the {other} one is there; sources are not mixed)"
            return reject(
                self.dataset.name,
                entry.key,
                f"{list_path}#{entry.line}",
                f"missing image: no {self.layout.source} image of {entry.key}"
                f"{there if entry.key in self.files.images[other] else ''}",
            )
        split = official_split(entry.key)
        return Sample(
            key=entry.key,
            uri=path,
            label=self.dataset.codes[entry.code],
            label_native=str(entry.code),
            soft_label=self.dataset.soft_label(self.dataset.codes[entry.code]),
            official_split=split,
            split_native=split,
            **self._annotation(entry.key),
        )

    def _annotation(self, key: str) -> dict[str, Any]:
        """Read what annotation there is; points and box only for the image they are given in."""
        values: dict[str, Any] = {}
        original = self.layout.source == "original"
        try:
            if path := self._path("manual", key):
                manual = read_manual(path, self.dataset.attributes)
                values |= manual.attributes
                if original:
                    values["five_points"] = manual.five_points
        except AnnotationError as error:
            self._note(error)
        if not original:
            return values
        try:
            if path := self._path("auto", key):
                values["landmarks"] = read_auto(path)
                values["landmark_scheme"] = "facepp37"
                values["landmark_source"] = "dataset"
        except AnnotationError as error:
            self._note(error)
        try:
            if path := self._path("boundingbox", key):
                values["box"] = read_box(path)
        except AnnotationError as error:
            self._note(error)
        return values

    def _path(self, kind: str, key: str) -> Path | None:
        """Return the annotation file of a sample; None where the copy has none of this kind."""
        found = self.files.annotations[kind]
        if key in found:
            return self.layout.root / found[key]
        if found:
            self.findings.add(f"images have no {kind} annotation", key)
        return None

    def _note(self, error: AnnotationError) -> None:
        self.findings.add("annotation files are malformed and were left out", str(error))


def _part(root: Path, path: str) -> tuple[str, str]:
    """Tell basic from compound by codes, by the digits in file names, and by the folder's name.

    The compound part has codes up to 11 and one digit less (train_0001.jpg); one sign may fail in
    a damaged copy, so they vote.

    Returns:
        The dataset, and the reason for a person.
    """
    try:
        text = (root / path).read_bytes().decode("utf-8", errors="replace")
    except OSError:
        text = ""
    lines = _LIST_LINE.findall(text)
    foreign = sum(int(code) > _BASIC_CODES for _, _, code in lines)
    votes, signs = 0, [f"{len(lines):,} lines"]
    if lines:
        high = foreign > 0.2 * len(lines)
        votes += 2 if high else -1
        signs.append(f"codes {'beyond' if high else 'up to'} {_BASIC_CODES}")
        split, digits = Counter((split, len(number)) for split, number, _ in lines).most_common(1)[
            0
        ][0]
        basic = digits >= (5 if split == "train" else 4)
        votes += -3 if basic else 1
        signs.append(f"{digits} digits in {split} names")
    words = path.lower()
    votes += ("compound" in words or "compound" in root.name.lower()) - (
        "basic" in words or "basic" in root.name.lower()
    )
    return (_COMPOUND if votes >= 0 and lines else _BASIC), ", ".join(signs)


def _home(tree: FileTree, folder: str) -> str:
    """Return the nearest folder above a label list that also holds images or archives."""
    with_files = {
        folder_name(path) for path in tree.files if image_key(file_name(path)) or is_archive(path)
    }
    parents = {""}
    for each in with_files:
        while each and each not in parents:
            parents.add(each)
            each = folder_name(each)  # noqa: PLW2901 - climbs from the folder to the root
    while folder and folder not in parents:
        folder = folder_name(folder)
    return folder


def _layouts(
    tree: FileTree, dataset: DatasetInfo, lists: tuple[str, ...], evidence: str
) -> list[Layout]:
    """Return the layout of each source that is there; of the missing one if none is."""
    images = index(tree).images
    layouts: list[Layout] = []
    for source in SOURCES:
        if count := len(images[source]):
            # Where both are there, aligned is what papers use: 0.99 beats 0.9.
            confidence = 0.9 if layouts else 0.99
            signs = (evidence, f"{count:,} {source} images")
            name = f"official-{source}"
            layouts.append(Layout(dataset.name, name, source, tree, lists, confidence, signs))
    if not layouts:
        signs = (evidence, _lack(tree, "aligned"))
        layouts.append(Layout(dataset.name, "official-aligned", "aligned", tree, lists, 0.5, signs))
    return layouts


def _lack(tree: FileTree, source: str) -> str:
    """Say what to do where no image of a source is there."""
    archives = [path for path in tree.archives() if source in file_name(path).lower()]
    if archives := archives or list(tree.archives()):
        return f"no {source} images: extract {', '.join(archives[:3])}"
    return f"no {source} images: download and extract Image/{source}.zip"


def _require_images(layout: Layout, files: RafFiles) -> None:
    if not files.images[layout.source]:
        raise LayoutError(
            f"{layout.root}: the label list of {layout.dataset} is there, but "
            f"{_lack(layout.tree, layout.source)}."
        )


def _one_list(layout: Layout) -> str:
    """Return the label list; two spellings side by side must say the same."""
    first, *others = sorted(layout.lists)
    for other in others:
        if (layout.root / first).read_bytes() != (layout.root / other).read_bytes():
            raise AnnotationError(
                layout.root / other, f"differs from {file_name(first)}; keep the right one of them"
            )
    return first


def _note_extras(layout: Layout, files: RafFiles, listed: set[str], findings: Findings) -> None:
    """Count images that no row uses, and annotation that still lies in an archive."""
    extra = [path for key, path in files.images[layout.source].items() if key not in listed]
    if extra:
        findings.add("images are in no list", ", ".join(extra[:3]), len(extra))
    if files.twice:
        findings.add(
            "images are there twice; the least deep copy was taken",
            files.twice[0],
            len(files.twice),
        )
    for archive in layout.tree.archives():
        kind = file_name(archive).lower().partition(".")[0]
        if kind in files.annotations and not files.annotations[kind]:
            findings.add("annotation archives are not extracted", archive)
