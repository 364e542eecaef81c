"""Folders named after classes, in which re-made copies of many datasets keep their images."""

from __future__ import annotations

import re

from ferdata.core.labels import find_name
from ferdata.ingesters.tree import file_name, folder_name

SPLIT_FOLDER = re.compile(r"(?:train|test|valid|val|validation)(?:[ _-]?set)?", re.IGNORECASE)
"""Names of the folders of splits above the class folders."""


def class_of(path: str) -> str | None:
    """Return the expression that a file's folder is named after, or None for any other name."""
    return find_name(class_folder(path))


def class_folder(path: str) -> str:
    """Return the name of the folder that a file lies in."""
    return file_name(folder_name(path))


def split_folder(path: str) -> str | None:
    """Return the name of the folder above the class folder, or None if it names no split."""
    word = class_folder(folder_name(path))
    return word if SPLIT_FOLDER.fullmatch(word) else None


def above_class_folder(path: str) -> str:
    """Return the folder above a file's class folder; the file's own where it names no class."""
    folder = folder_name(path)
    return folder_name(folder) if class_of(path) is not None else folder


def wrong_folder(path: str, expected: str) -> str:
    """Return the reason for rejecting an image whose folder is not a class of the dataset."""
    return f"label folder {class_folder(path) or '.'}: expected {expected}"
