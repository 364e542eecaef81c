"""What speaks for a dataset in a folder, and how sure that makes.

One sign proves little: seven folders with the names of emotions are many people's. Signs are taken
as independent, so that each leaves its own share of the doubt: two signs that convince in 9 and 6
of 10 cases leave 0.1 · 0.4 of it, a confidence of 0.96.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

CLAIM = 0.5
"""A folder is taken for a dataset from this confidence on."""

_INCOMPLETE = 0.49
"""The most that a copy can have that lacks something without which it can't be read."""


class Sign(StrEnum):
    """Kinds of signs, by what they are found in."""

    DECLARED = "files that the user's declaration names"
    NAMES = "file names that only this dataset has"
    TABLE = "a table with this dataset's columns or file names"
    COUNTS = "the published number of images of each class"
    ANNOTATION = "annotation files as only this dataset has them"
    SHARES = "class shares that fit this dataset and no other"
    FILE = "a file called as its authors call it"
    SIZE = "images of this dataset's size"
    FOLDERS = "folders as in a copy of this dataset, and of many others"


WEIGHTS = {
    Sign.DECLARED: 1.0,
    Sign.NAMES: 0.9,
    Sign.TABLE: 0.9,
    Sign.COUNTS: 0.9,
    Sign.ANNOTATION: 0.9,
    Sign.SHARES: 0.6,
    Sign.FILE: 0.6,
    Sign.SIZE: 0.3,
    Sign.FOLDERS: 0.2,
}
"""The share of the doubt that each sign removes; SIZE and FOLDERS together are below `CLAIM`."""


@dataclass(frozen=True)
class Evidence:
    """One sign that was found.

    Attributes:
        sign: Its kind.
        text: What was found, one sentence.
    """

    sign: Sign
    text: str

    def __str__(self) -> str:
        return self.text


def confidence(evidence: Iterable[Evidence], *, complete: bool = True) -> float:
    """Return how sure some evidence makes, 0 to 1.

    Args:
        evidence: What was found; a kind of sign counts once.
        complete: Whether the copy has all that reading it takes.
    """
    doubt = 1.0
    for sign in {each.sign for each in evidence}:
        doubt *= 1.0 - WEIGHTS[sign]
    sure = round(1.0 - doubt, 4)
    return sure if complete else min(sure, _INCOMPLETE)
