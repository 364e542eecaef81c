"""RAF-DB re-made with class folders: `train/5/train_00001_aligned.jpg`, with or without csv lists.

The Kaggle copy has folders and csv lists, which say the same twice; where they disagree nobody
knows which is right, so the row is rejected. In ImageFolder copies without a `test` folder,
`valid` is the official test set; the authors' split is always read from the file name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ferdata.core.errors import LabelError
from ferdata.core.manifest import Reject
from ferdata.ingesters.contract import Layout, reject
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import WRONG_CODES, LabelList, read_label_list
from ferdata.ingesters.notices import Findings
from ferdata.ingesters.rafdb.names import csv_list, image_key, official_split
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name

LIST_NAMES = ("train_labels.csv", "test_labels.csv")

_CLASS_FOLDER = re.compile(
    r"(?:(?P<base>.*)/)?(?P<split>train|test|valid|val|validation)/(?P<folder>[^/]+)/[^/]+",
    re.IGNORECASE,
)

# The word of a folder → the official splits whose images it may hold without surprise.
_EXPECTED = {"train": "train", "test": "test", "valid": "test", "val": "test", "validation": "test"}


@dataclass(frozen=True, slots=True)
class FolderImage:
    """An image in a class folder; `split` and `folder` are the folders' names."""

    key: str
    path: str
    split: str
    folder: str


def detect(tree: FileTree, dataset: DatasetInfo) -> list[Layout]:
    """Find class folders 1–7 with RAF-DB's file names, in or below a folder."""
    codes = {str(code) for code in dataset.codes}
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    for path in tree.files:
        match = _CLASS_FOLDER.fullmatch(path)
        if match and match["folder"] in codes and image_key(file_name(path)):
            splits[match["base"] or ""][match["split"]] += 1
    return [_layout(tree, base, counts, dataset) for base, counts in splits.items()]


def read(layout: Layout, dataset: DatasetInfo, *, advice: str) -> Iterator[Sample | Reject]:
    """Read class folders, sorted by split (train first) and name.

    Args:
        layout: What `detect` returned.
        dataset: The facts of the basic part.
        advice: What to tell someone whose lists have foreign label codes.

    Raises:
        LayoutError: A folder can't be listed.
        AnnotationError: A csv list can't be read.
        LabelError: A csv list has another dataset's codes.
    """
    layout.tree.require_readable()
    lists = [read_label_list(layout.root, path, dataset, csv_list(advice)) for path in layout.lists]
    images = sorted(_images(layout.tree), key=lambda i: (i.split.lower() != "train", i.key, i.path))
    _require_codes(layout, images, dataset, advice)
    findings = Findings(dataset.name)
    reader = _Reader(layout, dataset, advice, _Labels.of(lists), findings)
    for labels in lists:
        yield from labels.rejects
    for image in images:
        if row := reader.row(image):
            yield row
    yield from reader.missing()
    findings.log()


@dataclass
class _Labels:
    """What the csv lists say."""

    codes: dict[str, int] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    splits: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, lists: list[LabelList]) -> _Labels:
        """Join the lists of all splits; a list covers the split that its name begins with."""
        labels = cls()
        for each in lists:
            labels.splits.add(file_name(each.path).lower().partition("_")[0])
            labels.rejected |= each.rejected
            for entry in each.entries:
                labels.codes[entry.key] = entry.code
                labels.lines[entry.key] = f"{each.path}#{entry.line}"
        return labels


@dataclass
class _Reader:
    """Turns images in class folders into rows."""

    layout: Layout
    dataset: DatasetInfo
    advice: str
    labels: _Labels
    findings: Findings
    seen: dict[str, FolderImage] = field(default_factory=dict)

    def row(self, image: FolderImage) -> Sample | Reject | None:
        """Return an image's sample, or why there is none; None if its csv line was rejected."""
        if image.key in self.seen:
            first = self.seen[image.key]
            clash = f", with label {first.folder}, not {image.folder}"
            return self._reject(
                image,
                f"duplicate id: also {first.path}{clash if first.folder != image.folder else ''}",
            )
        self.seen[image.key] = image
        if image.key in self.labels.rejected and image.key not in self.labels.codes:
            return None
        code = int(image.folder) if re.fullmatch("[0-9]{1,9}", image.folder) else None
        if code is None or code not in self.dataset.codes:
            reason = f"label folder {image.folder}: expected {self.dataset.code_range}"
            return self._reject(image, f"{reason}; {self.advice}")
        contradiction = self._disagreement(image, code)
        if contradiction is not None:
            return self._reject(image, contradiction)
        split = official_split(image.key)
        if _EXPECTED[image.split.lower()] != split:
            self.findings.add(
                "images lie in the folder of another split; the split is that of their name",
                image.path,
            )
        return Sample(
            key=image.key,
            uri=image.path,
            label=self.dataset.codes[code],
            label_native=str(code),
            official_split=split,
            split_native=image.split,
        )

    def missing(self) -> Iterator[Reject]:
        """Yield the rows of the csv lists whose image is nowhere."""
        for key in self.labels.codes:
            if key not in self.seen:
                reason = f"missing image: no image of {key} in any class folder"
                yield reject(self.dataset.name, key, self.labels.lines[key], reason)

    def _disagreement(self, image: FolderImage, code: int) -> str | None:
        """Say where folder and csv contradict each other."""
        listed = self.labels.codes.get(image.key)
        if listed is None:
            covered = official_split(image.key) in self.labels.splits
            return f"not in the csv list: {file_name(image.path)}" if covered else None
        if listed != code:
            return (
                f"folder and csv disagree: folder {code}, {self.labels.lines[image.key]} {listed}"
            )
        return None

    def _reject(self, image: FolderImage, reason: str) -> Reject:
        return reject(self.dataset.name, image.key, image.path, reason)


def _require_codes(
    layout: Layout, images: list[FolderImage], dataset: DatasetInfo, advice: str
) -> None:
    """Refuse class folders that are numbered by another dataset's codes."""
    codes = {str(code) for code in dataset.codes}
    foreign = [image for image in images if image.folder not in codes]
    if len(foreign) > max(1, WRONG_CODES * len(images)):
        raise LabelError(
            f"{dataset.name}: label folder {foreign[0].folder} in {layout.root}, with "
            f"{foreign[0].path}; expected {dataset.code_range} ({len(foreign)} of {len(images)} "
            f"images are in other folders).\n{advice[0].upper()}{advice[1:]}."
        )


def _images(tree: FileTree) -> Iterator[FolderImage]:
    for path in tree.files:
        key = image_key(file_name(path))
        match = _CLASS_FOLDER.fullmatch(path)
        if key is not None and match is not None:
            yield FolderImage(key, path, match["split"], match["folder"])


def _layout(tree: FileTree, base: str, splits: Counter[str], dataset: DatasetInfo) -> Layout:
    """Describe the class folders below `base`; csv lists may lie in it or just above it."""
    folders = {base, folder_name(base)}
    lists = [
        path
        for path in tree.files
        if file_name(path).lower() in LIST_NAMES and folder_name(path) in folders
    ]
    home = min((folder_name(path) for path in lists), key=len, default=base)
    inside = tree.below(home)
    cut = len(home) + 1 if home else 0
    found = ", ".join(f"{number:,} in {split}/" for split, number in sorted(splits.items()))
    evidence = [f"{splits.total():,} images in class folders 1–7: {found}"]
    if lists:
        evidence.append(f"lists {', '.join(sorted(lists))}")
    return Layout(
        dataset.name,
        "kaggle" if lists else "imagefolder",
        "aligned",
        inside,
        tuple(path[cut:] for path in sorted(lists)),
        0.95 if lists else 0.9,
        tuple(evidence),
    )
