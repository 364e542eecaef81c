"""Folders named after classes, as re-made copies of many datasets have them."""

from __future__ import annotations

from functools import lru_cache

from ferdata.core.errors import LabelError
from ferdata.core.labels import canonical_name
from ferdata.ingesters.tree import file_name, folder_name


def class_of(path: str) -> str | None:
    """Return the expression that a file's own folder is named after, None for any other name."""
    return _class_of_folder(file_name(folder_name(path)))


def foreign_folder(path: str, expected: str) -> str:
    """Return the reason for rejecting an image whose folder is no class of the dataset."""
    return f"label folder {file_name(folder_name(path)) or '.'}: expected {expected}"


@lru_cache(maxsize=4096)
def _class_of_folder(word: str) -> str | None:
    try:
        return canonical_name(word)
    except LabelError:
        return None
