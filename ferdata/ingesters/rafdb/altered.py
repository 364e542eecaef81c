"""Images that somebody made from RAF-DB's and put between them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ferdata.core.given_splits import split_of_word
from ferdata.core.rejects import Reject
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.rafdb.names import image_key, official_split
from ferdata.ingesters.tree import file_name

_NAME_INSIDE = re.compile(r"(?:train|test)_[0-9]+", re.IGNORECASE)


def altered_copies(layout: Layout, *, own: frozenset[str] = frozenset()) -> Iterator[Reject]:
    """Yield the rejects of images whose names are made of another image's name.

    Args:
        layout: The copy.
        own: Images that are its rows, whatever their names.
    """
    for path in layout.tree.images():
        name = file_name(path)
        source = _NAME_INSIDE.search(name)
        if image_key(name) is None and source and path not in own:
            key = source[0].lower()
            reason = f"altered copy: {name} is made of {key}"
            splits = map(split_of_word, path.split("/")[:-1])
            if official_split(key) == "test" and "train" in splits:
                reason += ", a test image; in train it would leak"
            yield layout.reject("", path, reason)
