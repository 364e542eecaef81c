"""RAF-DB's file names: `train_00001.jpg`, and `train_00001_aligned.jpg` for the aligned image."""

from __future__ import annotations

import re

from ferdata.ingesters.label_list import ListFormat
from ferdata.ingesters.tree import file_name

_IMAGE = re.compile(
    r"(?P<key>(?:train|test)_[0-9]+)(?P<aligned>_aligned)?\.(?:jpe?g|png|bmp|tiff?|webp)",
    re.IGNORECASE,
)

_TELLING = re.compile(r"(?:train|test)_[0-9]{4,5}_aligned(?:_[^/]*)?\.[a-z]+", re.IGNORECASE)


def image_key(name: str) -> str | None:
    """Return the sample key of an image's file name (`train_00001`), or None for other names."""
    match = _IMAGE.fullmatch(name)
    return match["key"].lower() if match else None


def is_telling(name: str) -> bool:
    """Say whether nobody but RAF-DB's authors names a file so: `train_00001_aligned.jpg`."""
    return _TELLING.fullmatch(name) is not None


def image_source(path: str) -> str:
    """Say whether an image is `aligned` or `original`, by its name, else by its folder.

    Args:
        path: Path relative to the layout's root, of an image that has a key.
    """
    match = _IMAGE.fullmatch(file_name(path))
    if match and match["aligned"]:
        return "aligned"
    return "aligned" if "aligned" in path.lower().split("/")[:-1] else "original"


def official_split(key: str) -> str:
    """Return the authors' split, which is the first word of the key."""
    return key.partition("_")[0]


def text_list(advice: str) -> ListFormat:
    """Return the format of the official list."""
    return ListFormat("train_00001.jpg 5", image_key, advice=advice)


def csv_list(advice: str) -> ListFormat:
    """Return the format of the lists in the Kaggle copy."""
    return ListFormat("train_00001_aligned.jpg,5", image_key, has_header=True, advice=advice)
