"""RAF-DB's images under their own names, labeled in some other way than its authors do.

The file names are proof of the dataset and of the official split, wherever the files lie. The label
comes from a folder (`happy/train_00001_aligned.jpg`, `0/…`, without folders of splits above), from
the end of the name (`train_00001_aligned_5.jpg`), or from lists (`train_00001_aligned.jpg 4`, a
csv).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ferdata.core.errors import LabelError
from ferdata.core.given_splits import split_of_word
from ferdata.core.image_formats import is_image
from ferdata.core.labels import find_name
from ferdata.core.rejects import Reject
from ferdata.ingesters.class_folders import class_folder, class_of, split_folder
from ferdata.ingesters.code_orders import CodeOrder, own_order
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.order_choice import choose_order, without_strays
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.rafdb.altered import altered_copies
from ferdata.ingesters.rafdb.names import image_key, official_split
from ferdata.ingesters.rafdb.official import LIST_NAMES
from ferdata.ingesters.rafdb.signs import signs_of
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.simple_lists import Pair, find_lists, read_pairs
from ferdata.ingesters.tree import (
    FileTree,
    common_folder,
    file_name,
    file_stem,
    folder_name,
)

CLASSED, SUFFIXED, LISTS = "class-folders", "suffixed", "lists"

_SUFFIXED = re.compile(
    r"(?P<key>(?:train|test)_[0-9]+)(?:_aligned)?_(?P<word>[a-z]+|[0-9])", re.IGNORECASE
)
_SIDE = 100
_EXAMPLE = "train_00001_aligned.jpg"


@dataclass(frozen=True, slots=True)
class _Labeled:
    """An image and the word for its label; `native` is the copy's word for the split."""

    key: str
    path: str
    word: str
    native: str


def detect(tree: FileTree, found: Sequence[Layout]) -> Iterator[Layout]:
    """Find RAF-DB's file names in folders that no other layout has, ending in a label, or listed.

    Args:
        tree: The files.
        found: The layouts that were found so far.
    """
    taken = tuple(f"{each.root}/" for each in found)
    paths = [p for p in tree.files if not f"{tree.root}/{p}".startswith(taken or ("\0",))]
    named = [path for path in paths if image_key(file_name(path))]
    classed = [path for path in named if class_of(path) or class_folder(path).isdecimal()]
    suffixed = [path for path in paths if is_image(path) and _suffix(path)]
    if classed:
        yield _layout(tree, CLASSED, classed, "folders named after classes or codes")
    if suffixed:
        yield _layout(tree, SUFFIXED, suffixed, "names that end in a label")
    if named and not classed:
        yield from _listed(tree, named)


def read(layout: Layout, dataset: DatasetInfo, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the images sorted by split (train first) and name.

    Raises:
        LabelError: Too many words are no labels.
        OptionError: The order of the codes can't be told and must be named.
        WrongLabelsError: The order asked for can't be right.
    """
    layout.tree.require_readable()
    rejects: list[Reject] = []
    found = list(_lines(layout, rejects) if layout.name == LISTS else _images(layout))
    found.sort(key=lambda each: (official_split(each.key) != "train", each.key, each.path))
    order = _order(layout, dataset, found, choices)
    yield from rejects
    seen: dict[str, _Labeled] = {}
    wrong = 0
    for each in found:
        label = order.codes.get(int(each.word)) if each.word.isdecimal() else find_name(each.word)
        if first := seen.get(each.key):
            clash = f", with label {first.word}" if first.word != each.word else ""
            yield layout.reject(each.key, each.path, f"duplicate id: also {first.path}{clash}")
            continue
        seen[each.key] = each
        if label not in dataset.codes.values() or label is None:
            wrong += 1
            yield layout.reject(each.key, each.path, f"label {each.word}: expected a class")
            continue
        split = official_split(each.key)
        yield Sample(
            each.key, each.path, label, each.word, official_split=split, split_native=each.native
        )
    yield from altered_copies(layout, own=frozenset(each.path for each in found))
    if is_other_dataset(wrong, len(found)):
        raise LabelError(
            f"{dataset.name}: {wrong} of {len(found)} images in {layout.root} have labels that are "
            "none of its seven classes; this is another dataset, or a copy with its own labels."
        )


def _order(
    layout: Layout, dataset: DatasetInfo, found: Sequence[_Labeled], choices: Choices
) -> CodeOrder:
    """Return the order of the codes: RAF-DB's own where they begin at 1 as only its do."""
    parts: dict[str, Counter[int]] = defaultdict(Counter)
    for each in found:
        if each.word.isdecimal():
            parts[official_split(each.key)][int(each.word)] += 1
    usual = without_strays(dataset, parts)
    seen = {code for part in usual.values() for code in part}
    few = not is_other_dataset(sum(map(Counter.total, parts.values())), len(found))
    wanted = choices.get(CODES_CHOICE)
    if wanted is None and (few or not seen or (0 not in seen and max(dataset.codes) in seen)):
        return own_order(dataset)
    return choose_order(layout, dataset, parts, wanted)


def _images(layout: Layout) -> Iterator[_Labeled]:
    """Yield the images whose folder or name says the label."""
    for path in layout.tree.images():
        key, word = image_key(file_name(path)), class_folder(path)
        if layout.name == SUFFIXED:
            match = _suffix(path)
            key, word = (match["key"].lower(), match["word"]) if match else (None, "")
        if key is not None and word:
            native = split_folder(path) or official_split(key)
            yield _Labeled(key, path, word, native)


def _lines(layout: Layout, rejects: list[Reject]) -> Iterator[_Labeled]:
    """Yield the lines of all lists whose image is there; collect the rejects of the others."""
    images = {key: p for p in layout.tree.images() if (key := image_key(file_name(p)))}
    for path in layout.lists:
        word = file_stem(path).lower().partition("_")[0]
        for each in read_pairs(layout.root / path):
            if not isinstance(each, Pair):
                number, text = each
                rejects.append(
                    layout.reject("", f"{path}#{number}", f"malformed line: {text[:60]!r}")
                )
                continue
            uri, key = f"{path}#{each.line}", image_key(file_name(each.path)) or ""
            if key in images:
                native = word if split_of_word(word) else official_split(key)
                yield _Labeled(key, images[key], each.word, native)
            else:
                rejects.append(layout.reject(key, uri, f"missing image: no {each.path}"))


def _listed(tree: FileTree, named: Sequence[str]) -> Iterator[Layout]:
    """Find lists with RAF-DB's file names beside flat folders of its images."""
    lists = [
        each.path
        for each in find_lists(tree)
        if image_key(file_name(each.image)) and file_name(each.path).lower() not in LIST_NAMES
    ]
    if lists:
        evidence = signs_of(tree, named, f"lists {', '.join(lists[:4])}")
        folders = {folder_name(path) for path in (*named, *lists)}
        base = common_folder(folders)
        yield Layout.below(tree, base, "rafdb", LISTS, *evidence, lists=lists, source="aligned")


def _layout(tree: FileTree, name: str, paths: Sequence[str], what: str) -> Layout:
    folders = {folder_name(path) for path in paths}
    above = folders if name == SUFFIXED else set(map(folder_name, folders))
    above = {folder_name(each) if split_of_word(file_name(each)) else each for each in above}
    evidence = signs_of(tree, paths, what)
    return Layout.below(tree, common_folder(above), "rafdb", name, *evidence, source="aligned")


def _suffix(path: str) -> re.Match[str] | None:
    match = _SUFFIXED.fullmatch(file_stem(path))
    known = match and (match["word"].isdecimal() or find_name(match["word"]))
    return match if known else None
