"""RAF-DB's official tree: a label list, images by file name, annotation files per image.

Images are found by name at any depth, since the zips inside the distribution extract to
`Image/aligned/` or `Image/aligned/aligned/`. Images of one source are read, never a mixture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ferdata.core.delimited import read_lines
from ferdata.core.errors import AnnotationError, LayoutError
from ferdata.core.rejects import Reject
from ferdata.ingesters.code_orders import asked_codes
from ferdata.ingesters.contract import OF_REJECTS, Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import Entry, LabelList, read_label_list
from ferdata.ingesters.rafdb.annotation import SUFFIXES, read_annotation
from ferdata.ingesters.rafdb.names import image_key, image_source, official_split, text_list
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name, is_archive

LIST_NAMES = ("list_patition_label.txt", "list_partition_label.txt")
"""Names of the label list; the first spelling is the distribution's own."""

SOURCES = ("aligned", "original")

_LIST_LINE = re.compile(r'"?(train|test)_([0-9]+)[^\s,;|"]*"?[\s,;|]+"?([0-9]+)(?:\.0*)?"?\s*')
_BASIC_CODES = 7
_BASIC, _COMPOUND = "rafdb", "rafdb-compound"


@dataclass
class RafFiles:
    """The files of one copy by source or kind, and by sample key; paths relative to its root.

    Attributes:
        images: Images of each source.
        annotations: Annotation files of each kind.
        repeats: Further images of the same source and key.
    """

    images: dict[str, dict[str, str]] = field(default_factory=lambda: {s: {} for s in SOURCES})
    annotations: dict[str, dict[str, str]] = field(
        default_factory=lambda: {k: {} for k in SUFFIXES}
    )
    repeats: list[str] = field(default_factory=list)


def index(tree: FileTree) -> RafFiles:
    """Find images and annotation files by name; of several with one name, the least deep."""
    files = RafFiles()
    for path in sorted(tree.files, key=lambda path: path.count("/")):
        name = file_name(path)
        key = image_key(name)
        if key is not None:
            found = files.images[image_source(path)]
            if key in found:
                files.repeats.append(path)
            found.setdefault(key, path)
            continue
        for kind, suffix in SUFFIXES.items():
            if name.endswith(suffix):
                files.annotations[kind].setdefault(name.removesuffix(suffix).lower(), path)
    return files


def detect(tree: FileTree, dataset: DatasetInfo) -> Iterator[Layout]:
    """Find the official tree of one part in or below a folder."""
    lists = [path for path in tree.files if file_name(path).lower() in LIST_NAMES]
    for folder in dict.fromkeys(map(folder_name, lists)):
        together = [path for path in lists if folder_name(path) == folder]
        part, reason = _part(tree.root, together[0])
        if part == dataset.name:
            evidence = f"label list {together[0]} ({reason})"
            yield from _layouts(tree, _home(tree, folder), dataset, together, evidence)


def read(
    layout: Layout, dataset: DatasetInfo, choices: Choices, *, advice: str
) -> Iterator[Sample | Reject]:
    """Read an official tree in the order of its list.

    Args:
        layout: What `detect` returned.
        dataset: The part.
        choices: `codes`, if an order was asked for.
        advice: What to tell someone whose list has other label codes.

    Raises:
        LayoutError: No image of the layout's source is there, or a folder can't be listed.
        AnnotationError: The label list can't be read.
        LabelError: The label list has another dataset's codes.
    """
    layout.tree.require_readable()
    files = index(layout.tree)
    if not files.images[layout.source]:
        raise LayoutError(
            f"{layout.root}: the label list of {layout.dataset} is there, but "
            f"{_missing_images(layout.tree, layout.source)}."
        )
    labels = read_label_list(layout, _one_list(layout), dataset, text_list(advice))
    codes = asked_codes(layout, dataset, choices)
    reader = _Reader(layout, dataset, files, codes)
    yield from labels.rejects
    yield from map(reader.row, labels.entries.values())
    yield from _extras(layout, files, labels)


@dataclass
class _Reader:
    """Turns entries of the label list into rows."""

    layout: Layout
    dataset: DatasetInfo
    files: RafFiles
    codes: Mapping[int, str]

    def row(self, entry: Entry) -> Sample | Reject:
        """Return the sample of an entry, or its reject."""
        source = self.layout.source
        path = self.files.images[source].get(entry.key)
        if path is None:
            other = SOURCES[1 - SOURCES.index(source)]
            found = entry.key in self.files.images[other]
            hint = f" (the {other} one is there; sources are not mixed)" if found else ""
            reason = f"missing image: no {source} image of {entry.key}{hint}"
            return self.layout.reject(entry.key, entry.uri, reason)
        split = official_split(entry.key)
        label = self.codes.get(entry.code)
        if label is None:
            reason = f"label code {entry.code}: none in the order asked for"
            return self.layout.reject(entry.key, entry.uri, reason)
        return Sample(
            key=entry.key,
            uri=path,
            label=label,
            label_native=str(entry.code),
            soft_label=self.dataset.soft_label(label),
            official_split=split,
            split_native=split,
            **self._annotation(entry.key),
        )

    def _annotation(self, key: str) -> dict[str, Any]:
        """Read the annotation; points and box only for the images whose pixels they are in."""
        values: dict[str, Any] = {}
        is_original = self.layout.source == "original"
        for kind in SUFFIXES if is_original else ("manual",):
            try:
                if path := self._path(kind, key):
                    values |= read_annotation(kind, path, self.dataset.attributes)
            except AnnotationError as error:
                self.layout.notices.add("annotation files are malformed and ignored", str(error))
        if not is_original:
            values.pop("five_points", None)
        return values

    def _path(self, kind: str, key: str) -> Path | None:
        """Return the annotation file of a sample; None if the copy has none of this kind."""
        found = self.files.annotations[kind]
        if key in found:
            return self.layout.use(found[key])
        if found:
            self.layout.notices.add(f"images have no {kind} annotation", key)
        return None


def _part(root: Path, path: str) -> tuple[str, str]:
    """Tell basic from compound by codes, digits in file names, and names of folders.

    The compound part has codes up to 11 and one digit less (train_0001.jpg). Each sign may be
    wrong in a damaged copy, so they vote.

    Returns:
        The dataset, and the reason for messages.
    """
    try:
        text = read_lines(root / path)
    except AnnotationError:
        text = []
    lines = [match.groups() for line in text if (match := _LIST_LINE.fullmatch(line))]
    votes, signs = 0, [f"{len(lines):,} lines"]
    if lines:
        high = sum(int(code) > _BASIC_CODES for _, _, code in lines) > 0.2 * len(lines)
        votes += 2 if high else -1
        signs.append(f"codes {'beyond' if high else 'up to'} {_BASIC_CODES}")
        names = Counter((split, len(number)) for split, number, _ in lines)
        split, digits = names.most_common(1)[0][0]
        basic = digits >= (5 if split == "train" else 4)
        votes += -3 if basic else 1
        signs.append(f"{digits} digits in {split} names")
    words = f"{root.name}/{path}".lower()
    votes += ("compound" in words) - ("basic" in words)
    return (_COMPOUND if votes >= 0 and lines else _BASIC), ", ".join(signs)


def _home(tree: FileTree, folder: str) -> str:
    """Return the nearest folder above a label list that also contains images or archives."""
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
    tree: FileTree, home: str, dataset: DatasetInfo, lists: list[str], evidence: str
) -> Iterator[Layout]:
    """Yield the layout of each source that is there; of a missing one if none is."""
    images = index(tree.below(home)).images
    there = [source for source in SOURCES if images[source]]
    # If both are there, aligned comes first, which is what papers use.
    for source in there or ["aligned"]:
        found = images[source]
        signs = [Evidence(Sign.TABLE, evidence)]
        if found:
            signs.append(Evidence(Sign.NAMES, f"{len(found):,} {source} images"))
        missing = "" if found else _missing_images(tree.below(home), source)
        yield Layout.below(
            tree, home, dataset.name, f"official-{source}", *signs, lists=lists, source=source,
            missing=missing,
        )  # fmt: skip


def _missing_images(tree: FileTree, source: str) -> str:
    """Say what to do if no image of a source is there."""
    archives = [path for path in tree.archives() if source in file_name(path).lower()]
    if archives := archives or list(tree.archives()):
        return f"no {source} images: extract {', '.join(archives[:3])}"
    return f"no {source} images: download and extract Image/{source}.zip"


def _one_list(layout: Layout) -> str:
    """Return the label list; if both spellings are there, they must have the same content."""
    first, *others = sorted(layout.lists)
    for other in others:
        if (layout.root / first).read_bytes() != (layout.root / other).read_bytes():
            raise AnnotationError(
                layout.root / other, f"differs from {file_name(first)}; keep only the right one"
            )
    return first


def _extras(layout: Layout, files: RafFiles, labels: LabelList) -> Iterator[Reject]:
    """Yield the rejects of images that no row uses; notice archives that are not extracted."""
    for source, images in files.images.items():
        if source == layout.source:
            for key in sorted(images.keys() - labels.entries.keys()):
                if key in labels.rejected:
                    layout.ignored[images[key]] = OF_REJECTS
                else:
                    yield layout.reject(key, images[key], "not in the list: no line names it")
        else:
            layout.ignored.update(dict.fromkeys(images.values(), f"{source} images"))
    for path in files.repeats:
        source = image_source(path)
        if source == layout.source:
            key = image_key(file_name(path)) or ""
            reason = f"duplicate id: also {files.images[source][key]}"
            yield layout.reject(key, path, reason)
        else:
            layout.ignored[path] = f"{source} images"
    for archive in layout.tree.archives():
        kind = file_name(archive).lower().partition(".")[0]
        if kind in files.annotations and not files.annotations[kind]:
            layout.notices.add("annotation archives are not extracted", archive)
