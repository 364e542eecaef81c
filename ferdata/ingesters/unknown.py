"""What a folder looks like that is no known dataset, so that its owner knows how to go on."""

from __future__ import annotations

from collections import Counter

from ferdata.core.given_splits import split_of_word
from ferdata.ingesters.class_folders import class_folder, class_of
from ferdata.ingesters.fingerprints import owners
from ferdata.ingesters.simple_lists import find_lists
from ferdata.ingesters.tree import FileTree, folder_name

_MANY = 4


def describe_unknown(tree: FileTree) -> list[str]:
    """Describe a folder by its class folders, lists and tables, one sentence each."""
    return [*_class_folders(tree), *_lists(tree), *_containers(tree)]


def _class_folders(tree: FileTree) -> list[str]:
    """Describe images in folders with the names of expressions, or with numbers."""
    images = tree.images()
    named = [path for path in images if class_of(path)]
    numbered = [path for path in images if class_folder(path).isdecimal()]
    paths, what = (named, "named after expressions") if named else (numbered, "with numbers")
    if len(paths) < 2:
        return []
    classes = sorted({class_folder(path) for path in paths})
    splits = Counter(_split(path) for path in paths)
    shown = ", ".join(f"{number:,} in {word}/" for word, number in sorted(splits.items()) if word)
    lines = [
        f"It looks like {len(paths):,} images in folders {what} ({', '.join(classes[:10])})"
        + (f": {shown}." if shown else ".")
        + " Such folders are no dataset's own: nothing in them says whose images they are."
    ]
    if named:
        counts: dict[str, dict[str, int]] = {}
        for path in named:
            part = counts.setdefault(_split(path) or "all", {})
            label = str(class_of(path))
            part[label] = part.get(label, 0) + 1
        lines += [f"Its class counts are those of {each}." for each in owners(counts)]
    return lines


def _split(path: str) -> str:
    word = class_folder(folder_name(path))
    return word if split_of_word(word) else ""


def _lists(tree: FileTree) -> list[str]:
    lists = [
        f"{each.path} (such as {each.example!r})"
        for each in find_lists(tree)
        if not class_of(each.path)
    ]
    if not lists:
        return []
    return [f"It has lists of images and labels: {', '.join(lists[:_MANY])}."]


def _containers(tree: FileTree) -> list[str]:
    found = [path for path in tree.files if path.lower().endswith((".h5", ".hdf5", ".parquet"))]
    return [f"It has files of arrays or rows: {', '.join(found[:_MANY])}."] if found else []
