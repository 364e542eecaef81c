"""Altered copies: the same image under several names, whatever was done to its pixels.

`find_altered_copies` is given one `ImageSource` for each image (its name, a function that loads its
pixels, its five points if they are known) and returns `AlteredCopies`: confirmed pairs and the
clusters that they form.

    sources = [ImageSource(name, partial(load, path), five) for name, path, five in rows]
    copies = find_altered_copies(sources, workers=2)
    for pair in copies.pairs:
        print(copies.names[pair.first], copies.names[pair.second], pair.kind, pair.changes)

The search has three steps. Each image is described once, by features that alterations hardly
change (`features`, `description`). Each image's nearest neighbors by these features are its
candidates (`candidates`). A candidate is a copy if its pixels, registered, agree everywhere
(`registration`, `comparison`).
"""

from __future__ import annotations

from ferdata.curation.altered_copies.changes import CHANGES
from ferdata.curation.altered_copies.comparison import LEAST_SIMILARITY, LEAST_WEAKEST
from ferdata.curation.altered_copies.finding import find_altered_copies
from ferdata.curation.altered_copies.records import (
    AlteredCopies,
    AlteredPair,
    ImageSource,
)

__all__ = [
    "CHANGES",
    "LEAST_SIMILARITY",
    "LEAST_WEAKEST",
    "AlteredCopies",
    "AlteredPair",
    "ImageSource",
    "find_altered_copies",
]
