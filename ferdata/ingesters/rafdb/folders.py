"""RAF-DB re-made with class folders: `train/5/train_00001_aligned.jpg`, with or without csv lists.

Folders are named by RAF-DB's codes 1–7, by the same less one, by another order (see
`ferdata.ingesters.order_choice`) or by the classes' names; the files' names are RAF-DB's own.

The Kaggle copy has folders and csv lists, which are redundant; where they disagree, the right label
is unknown and the row is rejected. In ImageFolder copies without a `test` folder, `valid` is the
official test set; the official split is always read from the file name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ferdata.core.errors import LabelError
from ferdata.core.given_splits import split_of_word
from ferdata.core.labels import find_name
from ferdata.core.rejects import Reject
from ferdata.ingesters.class_folders import SPLIT_FOLDER, split_folder
from ferdata.ingesters.contract import OF_REJECTS, Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import LabelList, is_other_dataset, read_label_list
from ferdata.ingesters.order_choice import choose_order
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.rafdb.altered import altered_copies
from ferdata.ingesters.rafdb.names import csv_list, image_key, official_split
from ferdata.ingesters.rafdb.signs import signs_of
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name

LIST_NAMES = ("train_labels.csv", "test_labels.csv")

_CLASS_FOLDER = re.compile(
    rf"(?:(?P<base>.*)/)?(?P<split>{SPLIT_FOLDER.pattern})/(?P<folder>[^/]+)/[^/]+",
    re.IGNORECASE,
)

_EXPECTED = {"train": "train", "validation": "test", "test": "test"}
"""The official split whose images are expected in the folder of a split."""


@dataclass(frozen=True, slots=True)
class FolderImage:
    """An image in a class folder; `split` and `folder` are the folders' names."""

    key: str
    path: str
    split: str
    folder: str


def detect(tree: FileTree, dataset: DatasetInfo) -> Iterator[Layout]:
    """Find class folders with RAF-DB's file names, in or below a folder."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in tree.files:
        match = _CLASS_FOLDER.fullmatch(path)
        if match and _is_class(match["folder"], dataset) and image_key(file_name(path)):
            found[match["base"] or ""].append(path)
    return (_layout(tree, base, paths, dataset) for base, paths in found.items())


def read(
    layout: Layout, dataset: DatasetInfo, choices: Choices, *, advice: str
) -> Iterator[Sample | Reject]:
    """Read class folders, sorted by split (train first) and name.

    Args:
        layout: What `detect` returned.
        dataset: The basic part.
        choices: `codes`, if the order of folders with numbers was asked for.
        advice: What to tell someone whose lists have other label codes.

    Raises:
        LayoutError: A folder can't be listed.
        AnnotationError: A csv list can't be read.
        LabelError: A csv list has another dataset's codes.
    """
    layout.tree.require_readable()
    lists = [read_label_list(layout, path, dataset, csv_list(advice)) for path in layout.lists]
    images = sorted(_images(layout.tree), key=lambda i: (i.split.lower() != "train", i.key, i.path))
    _require_codes(layout, images, dataset, advice)
    reader = _Reader(layout, dataset, advice, lists, _labels(layout, images, dataset, choices))
    for labels in lists:
        yield from labels.rejects
    yield from filter(None, map(reader.row, images))
    yield from reader.missing()
    yield from altered_copies(layout)


@dataclass
class _Reader:
    """Turns images in class folders into rows."""

    layout: Layout
    dataset: DatasetInfo
    advice: str
    lists: list[LabelList]
    labels: dict[str, str]
    seen: dict[str, FolderImage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listed = {key: entry for each in self.lists for key, entry in each.entries.items()}
        self.rejected = {key for each in self.lists for key in each.rejected}
        # A list is of the split that its name begins with.
        self.covered = {file_name(each.path).lower().partition("_")[0] for each in self.lists}

    def row(self, image: FolderImage) -> Sample | Reject | None:
        """Return an image's sample or reject; None if its csv line was rejected."""
        if first := self.seen.get(image.key):
            differs = first.folder != image.folder
            clash = f", with label {first.folder}, not {image.folder}" if differs else ""
            return self._reject(image, f"duplicate id: also {first.path}{clash}")
        self.seen[image.key] = image
        if image.key in self.rejected and image.key not in self.listed:
            self.layout.ignored[image.path] = OF_REJECTS
            return None
        label = self.labels.get(image.folder)
        if label is None:
            reason = f"label folder {image.folder}: expected {self.dataset.code_range}"
            return self._reject(image, f"{reason}; {self.advice}")
        contradiction = self._disagreement(image, label)
        if contradiction is not None:
            return self._reject(image, contradiction)
        split = official_split(image.key)
        if _EXPECTED[split_of_word(image.split) or "train"] != split:
            self.layout.notices.add(
                "images lie in the folder of another split; the one in their name is used",
                image.path,
            )
        return Sample(
            key=image.key,
            uri=image.path,
            label=label,
            label_native=image.folder,
            official_split=split,
            split_native=image.split,
        )

    def missing(self) -> Iterator[Reject]:
        """Yield the rejects of csv lines without an image."""
        for key, entry in self.listed.items():
            if key not in self.seen:
                reason = f"missing image: no image of {key} in any class folder"
                yield self.layout.reject(key, entry.uri, reason)

    def _disagreement(self, image: FolderImage, label: str) -> str | None:
        """Say where folder and csv contradict each other; None if they don't."""
        listed = self.listed.get(image.key)
        if listed is None:
            covered = official_split(image.key) in self.covered
            return f"not in the csv list: {file_name(image.path)}" if covered else None
        if self.dataset.codes[listed.code] != label:
            return f"folder and csv disagree: folder {image.folder}, {listed.uri} {listed.code}"
        return None

    def _reject(self, image: FolderImage, reason: str) -> Reject:
        return self.layout.reject(image.key, image.path, reason)


def _is_class(folder: str, dataset: DatasetInfo) -> bool:
    """Say whether a folder's name is a number from 0 to 7 or the name of a class."""
    return bool(re.fullmatch("[0-7]", folder)) or find_name(folder) in dataset.space


def _labels(
    layout: Layout, images: list[FolderImage], dataset: DatasetInfo, choices: Choices
) -> dict[str, str]:
    """Return the class of each folder: by its name, else by its number in the right order."""
    parts: dict[str, Counter[int]] = defaultdict(Counter)
    for image in images:
        if re.fullmatch("[0-7]", image.folder):
            parts[official_split(image.key)][int(image.folder)] += 1
    codes, wanted = dataset.codes, choices.get(CODES_CHOICE)
    if wanted or any(0 in part for part in parts.values()):
        codes = choose_order(layout, dataset, parts, wanted).codes
    labels = {str(code): label for code, label in codes.items()}
    for folder in {image.folder for image in images}:
        label = find_name(folder)
        if label is not None and label in dataset.space:
            labels[folder] = label
    return labels


def _require_codes(
    layout: Layout, images: list[FolderImage], dataset: DatasetInfo, advice: str
) -> None:
    """Refuse class folders that are numbered by another dataset's codes."""
    foreign = [image for image in images if not _is_class(image.folder, dataset)]
    if is_other_dataset(len(foreign), len(images)):
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


def _layout(tree: FileTree, base: str, paths: list[str], dataset: DatasetInfo) -> Layout:
    """Describe the class folders below `base`; csv lists may lie in it or just above it."""
    folders = {base, folder_name(base)}
    lists = [
        path
        for path in tree.files
        if file_name(path).lower() in LIST_NAMES and folder_name(path) in folders
    ]
    home = min(map(folder_name, lists), key=len, default=base)
    splits = Counter(split_folder(path) for path in paths)
    found = ", ".join(f"{number:,} in {split}/" for split, number in sorted(splits.items()))
    evidence = signs_of(tree, paths, f"class folders: {found}")
    name = "imagefolder"
    if lists:
        name = "kaggle"
        evidence += (Evidence(Sign.TABLE, f"lists {', '.join(sorted(lists))}"),)
    return Layout.below(
        tree, home, dataset.name, name, *evidence, lists=sorted(lists), source="aligned"
    )
