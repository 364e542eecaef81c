"""What a wrong name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_TIES = 6  # names that may be as close as the closest


def closest(name: str, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known names that are close to another one, the closest first.

    Case and punctuation don't count: `RAF-DB` is close to `rafdb`, `ck+` to `ckplus`. Where nothing
    is close, the beginning of a word counts: `val` means `validation`.

    Args:
        name: The name as given.
        known: The names that exist.
        most: Number of names to return at most.
        cutoff: Similarity that a name needs, from 0 to 1; see `difflib.get_close_matches`.
    """
    spelled = {_plain(each): each for each in sorted(known)}
    word = _plain(str(name))
    found = difflib.get_close_matches(word, spelled, n=max(most, _TIES), cutoff=cutoff)
    if not found and len(word) > 1:
        found = [each for each in spelled if each.startswith(word)]
    found.sort(key=lambda each: not each.startswith(word))
    return [spelled[each] for each in found[:most]]


def _plain(name: str) -> str:
    spoken = name.casefold().replace("+", "plus")
    return "".join(letter for letter in spoken if letter.isalnum())
