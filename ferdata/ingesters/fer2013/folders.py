"""FER2013 as image files: Kaggle's folders, and re-made copies in folders of classes or codes.

The name of a file of Kaggle's copy holds the authors' split, wherever it lies. Two names stand in
two classes with different images, so the key of an image is class and name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ferdata.core.labels import BASIC7
from ferdata.core.rejects import Reject
from ferdata.ingesters.class_folders import (
    SPLIT_FOLDER,
    class_folder,
    class_of,
    split_folder,
    wrong_folder,
)
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.fer2013.names import USAGES
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.lookup import dataset_names
from ferdata.ingesters.order_choice import best_reading, choose_order
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.sampled_sizes import evidence_of_size
from ferdata.ingesters.shares import evidence_of_shares
from ferdata.ingesters.tree import FileTree, common_folder, file_name, file_stem, folder_name

SIDE = 48
"""Width and height of FER2013's images, in pixels."""

_NAMED = re.compile(r"(?P<usage>Training|PublicTest|PrivateTest)_[0-9]+", re.IGNORECASE)


def key_of_name(name: str) -> tuple[str, str] | None:
    """Return the key and official split of a file of Kaggle's copy, None for any other name."""
    match = _NAMED.fullmatch(file_stem(name))
    return (match[0], USAGES[match["usage"].lower()]) if match else None


def detect(tree: FileTree, dataset: DatasetInfo) -> list[Layout]:
    """Find files named like Training_123.jpg in folders of classes or codes, or others like them.

    Args:
        tree: The files.
        dataset: FER2013.
    """
    images = tree.images()
    codes = {str(code) for code in dataset.codes}
    named = [path for path in images if key_of_name(path)]
    classed = [path for path in named if class_of(path)]
    coded = [path for path in named if class_folder(path) in codes]
    if classed or coded:
        names = "files named like Training_123.jpg in folders"
        found = []
        for layout, paths, what in (
            ("kaggle", classed, "named after classes"),
            ("code-folders", coded, "with codes"),
        ):
            if paths:
                evidence = (
                    Evidence(Sign.NAMES, f"{len(paths):,} {names} {what}"),
                    Evidence(Sign.FOLDERS, f"folders {what}"),
                )
                found.append(Layout.below(tree, _base(paths), dataset.name, layout, *evidence))
        return found
    classed = [path for path in images if class_of(path)]
    if set(map(class_of, classed)) & set(BASIC7.names):
        return [_unnamed(tree, dataset, "class-folders", classed)]
    if images and {"0"} <= set(map(class_folder, images)) <= codes:
        return [_unnamed(tree, dataset, "code-folders", images)]
    return []


def read(layout: Layout, dataset: DatasetInfo, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the images sorted by path.

    Raises:
        OptionError: The order of the codes can't be told and must be named.
        WrongLabelsError: The order asked for can't be right.
    """
    layout.tree.require_readable()
    images = layout.tree.images()
    codes = _codes(layout, dataset, images, choices) if layout.name == "code-folders" else {}
    all_named = layout.name == "kaggle" or any(map(key_of_name, images))
    seen: dict[str, str] = {}
    for path in images:
        folder, named = class_folder(path), key_of_name(path)
        label = codes.get(folder) if codes else class_of(path)
        key = path.rpartition(".")[0]
        if named:
            key = f"{label}/{named[0]}"
        if label not in BASIC7 or label is None:
            expected = ", ".join(codes or BASIC7.names)
            yield layout.reject(named[0] if named else key, path, wrong_folder(path, expected))
        elif all_named and not named:
            reason = "file name: not like Training_123.jpg, so its split is unknown"
            yield layout.reject(key, path, reason)
        elif key in seen:
            yield layout.reject(key, path, f"duplicate id: also {seen[key]}")
        else:
            seen[key] = path
            if not named:
                layout.notices.add("images have lost their place in the official split", path)
            native = named[0].partition("_")[0] if named else split_folder(path)
            split = named[1] if named else None
            yield Sample(key, path, label, folder, official_split=split, split_native=native)


def _codes(
    layout: Layout, dataset: DatasetInfo, images: Sequence[str], choices: Choices
) -> dict[str, str]:
    """Return the class of each code folder."""
    parts: dict[str, Counter[int]] = {}
    for path in images:
        if class_folder(path).isdecimal():
            named = key_of_name(path)
            part = named[1] if named else split_folder(path) or "all"
            parts.setdefault(part, Counter())[int(class_folder(path))] += 1
    order = choose_order(layout, dataset, parts, choices.get(CODES_CHOICE))
    return {str(code): label for code, label in order.labels}


def _unnamed(tree: FileTree, dataset: DatasetInfo, name: str, paths: Sequence[str]) -> Layout:
    """Describe folders of images without the names of Kaggle's copy, by size and counts."""
    parts: dict[str, Counter[str]] = {}
    for path in paths:
        part = parts.setdefault(split_folder(path) or "all", Counter())
        part[class_of(path) or class_folder(path)] += 1
    evidence = (
        Evidence(Sign.FOLDERS, f"{len(paths):,} images in {name.replace('-', ' ')}"),
        *evidence_of_size(tree, paths, SIDE, gray=True),
        *evidence_of_shares(dataset.name, best_reading(dataset, parts), dataset_names()),
    )
    return Layout.below(tree, _base(paths), dataset.name, name, *evidence)


def _base(paths: Sequence[str]) -> str:
    """Return the folder above those of all classes, and above those of the splits if any."""
    bases = set()
    for folder in set(map(folder_name, paths)):
        base = folder_name(folder)
        bases.add(folder_name(base) if SPLIT_FOLDER.fullmatch(file_name(base)) else base)
    return common_folder(bases)
