"""RAF-DB re-made with class folders: `train/5/train_00001_aligned.jpg`, with or without csv lists.

The Kaggle copy has folders and csv lists, which are redundant; where they disagree, the right label
is unknown and the row is rejected. In ImageFolder copies without a `test` folder, `valid` is the
official test set; the official split is always read from the file name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from ferdata.core.errors import LabelError
from ferdata.core.rejects import Reject
from ferdata.ingesters.class_folders import SPLIT_FOLDER
from ferdata.ingesters.code_orders import choose_order, own_order
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import LabelList, is_other_dataset, read_label_list
from ferdata.ingesters.rafdb.names import csv_list, image_key, official_split
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name

LIST_NAMES = ("train_labels.csv", "test_labels.csv")

_CLASS_FOLDER = re.compile(
    rf"(?:(?P<base>.*)/)?(?P<split>{SPLIT_FOLDER.pattern})/(?P<folder>[^/]+)/[^/]+",
    re.IGNORECASE,
)

# The official split whose images are expected in a folder of this name.
_EXPECTED = {"train": "train", "test": "test", "valid": "test", "val": "test", "validation": "test"}

_SET = "_set"

_OF_TEST = re.compile(r"test_[0-9]{3,5}")


@dataclass(frozen=True, slots=True)
class FolderImage:
    """An image in a class folder; `split` and `folder` are the folders' names."""

    key: str
    path: str
    split: str
    folder: str


def detect(tree: FileTree, dataset: DatasetInfo) -> Iterator[Layout]:
    """Find class folders 1–7 with RAF-DB's file names, in or below a folder."""
    codes = {str(code) for code in dataset.codes}
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    from_zero = set()
    for path in tree.files:
        match = _CLASS_FOLDER.fullmatch(path)
        if match and match["folder"].isdecimal() and image_key(file_name(path)):
            base = match["base"] or ""
            if match["folder"] in codes:
                splits[base][match["split"]] += 1
            elif int(match["folder"]) == 0:
                from_zero.add(base)  # others' codes, read by `relabeled`
    return (
        _layout(tree, base, counts, dataset)
        for base, counts in splits.items()
        if base not in from_zero
    )


def read(
    layout: Layout, dataset: DatasetInfo, choices: Choices, *, advice: str
) -> Iterator[Sample | Reject]:
    """Read class folders, sorted by split (train first) and name.

    Args:
        layout: What `detect` returned.
        dataset: The basic part.
        choices: The dataset's choices, and `codes`.
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
    order = own_order(dataset)
    if wanted := choices.get("codes"):
        order, said = choose_order(dataset, _parts(images), wanted, str(layout.root))
        layout.notices.say(said)
    reader = _Reader(layout, dataset, advice, lists, order.codes)
    for labels in lists:
        yield from labels.rejects
    yield from filter(None, map(reader.row, images))
    yield from reader.missing()
    yield from foreign_names(layout, {image.path for image in images})


@dataclass
class _Reader:
    """Turns images in class folders into rows."""

    layout: Layout
    dataset: DatasetInfo
    advice: str
    lists: list[LabelList]
    labels: dict[int, str]
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
            return None
        code = int(image.folder) if re.fullmatch("[0-9]{1,9}", image.folder) else None
        if code is None or code not in self.labels:
            reason = f"label folder {image.folder}: expected {self.dataset.code_range}"
            return self._reject(image, f"{reason}; {self.advice}")
        contradiction = self._disagreement(image, code)
        if contradiction is not None:
            return self._reject(image, contradiction)
        split = official_split(image.key)
        if _EXPECTED[image.split.lower().removesuffix(_SET)] != split:
            self.layout.notices.add(
                "images lie in the folder of another split; the one in their name is used",
                image.path,
            )
        return Sample(
            key=image.key,
            uri=image.path,
            label=self.labels[code],
            label_native=str(code),
            official_split=split,
            split_native=image.split,
        )

    def missing(self) -> Iterator[Reject]:
        """Yield the rejects of csv lines without an image."""
        for key, entry in self.listed.items():
            if key not in self.seen:
                reason = f"missing image: no image of {key} in any class folder"
                yield self.layout.reject(key, entry.uri, reason)

    def _disagreement(self, image: FolderImage, code: int) -> str | None:
        """Say where folder and csv contradict each other; None if they don't."""
        listed = self.listed.get(image.key)
        if listed is None:
            covered = official_split(image.key) in self.covered
            return f"not in the csv list: {file_name(image.path)}" if covered else None
        if listed.code != code:
            return f"folder and csv disagree: folder {code}, {listed.uri} {listed.code}"
        return None

    def _reject(self, image: FolderImage, reason: str) -> Reject:
        return self.layout.reject(image.key, image.path, reason)


def _require_codes(
    layout: Layout, images: list[FolderImage], dataset: DatasetInfo, advice: str
) -> None:
    """Refuse class folders that are numbered by another dataset's codes."""
    codes = {str(code) for code in dataset.codes}
    foreign = [image for image in images if image.folder not in codes]
    if is_other_dataset(len(foreign), len(images)):
        raise LabelError(
            f"{dataset.name}: label folder {foreign[0].folder} in {layout.root}, with "
            f"{foreign[0].path}; expected {dataset.code_range} ({len(foreign)} of {len(images)} "
            f"images are in other folders).\n{advice[0].upper()}{advice[1:]}."
        )


def _parts(images: list[FolderImage]) -> dict[str, Counter[int]]:
    """Count the images by official split and code."""
    parts: dict[str, Counter[int]] = defaultdict(Counter)
    for image in images:
        if re.fullmatch("[0-9]{1,3}", image.folder):
            parts[official_split(image.key)][int(image.folder)] += 1
    return parts


def foreign_names(layout: Layout, own: Collection[str]) -> Iterator[Reject]:
    """Yield the rejects of images between RAF-DB's that are none of it: copies that somebody made.

    Args:
        layout: The copy.
        own: Its images that are RAF-DB's.
    """
    for path in layout.tree.images():
        if path in own:
            continue
        of_test = _OF_TEST.search(file_name(path).lower())
        splits = {_EXPECTED.get(word.removesuffix(_SET)) for word in path.lower().split("/")[:-1]}
        if of_test and "train" in splits:
            reason = f"leak: made of the test image {of_test[0]}, and lies in train"
        else:
            reason = f"file name: {file_name(path)} is not like train_00001_aligned.jpg"
            if image_key(file_name(path)):
                kind = "not in the list" if layout.lists else "label folder"
                reason = f"{kind}: nothing says the image's label"
        yield layout.reject("", path, reason)


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
    home = min(map(folder_name, lists), key=len, default=base)
    found = ", ".join(f"{number:,} in {split}/" for split, number in sorted(splits.items()))
    evidence = [
        Evidence(Sign.NAMES, f"{splits.total():,} files named like train_00001_aligned.jpg"),
        Evidence(Sign.FOLDERS, f"class folders 1–7: {found}"),
    ]
    if lists:
        evidence.append(Evidence(Sign.TABLE, f"lists {', '.join(sorted(lists))}"))
    name = "kaggle" if lists else "imagefolder"
    return Layout.below(
        tree,
        home,
        dataset.name,
        name,
        *evidence,
        lists=sorted(lists),
        source="aligned",
    )
