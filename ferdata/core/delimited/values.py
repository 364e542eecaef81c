"""What a cell says: a whole number, a number, a path, however it was written."""

from __future__ import annotations

import math
import re

_PLAIN = 15  # digits: such a number is also exact as a float
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]*|,0{1,2})?(?:[eE][+-]?[0-9]{1,2})?")
_EXACT = 2**53


def whole_number(word: str) -> int | None:
    """Return the whole number that a cell says, None if it says none.

    Programs write 3 as `3`, ` 3 `, `"3"`, `+3`, `3.0`, `3.` and `3.000e+00`, and as `3,0` where
    the comma is the decimal point. `3,000` is none, since it may be three or three thousand; so are
    numbers that are not exact as a float.
    """
    if word.isdecimal() and word.isascii() and len(word) <= _PLAIN:
        return int(word)
    word = word.strip(" \t\"'")
    if not _WHOLE.fullmatch(word):
        return None
    value = float(word.replace(",", "."))
    return int(value) if value.is_integer() and abs(value) < _EXACT else None


def real_number(word: str) -> float | None:
    """Return the finite number that a cell says, with a decimal point or comma; None if none."""
    try:
        value = float(word)
    except ValueError:
        try:
            value = float(word.strip(" \t\"'").replace(",", ".", 1))
        except ValueError:
            return None
    return value if math.isfinite(value) and "_" not in word else None


def posix_path(word: str) -> str:
    r"""Return a path with slashes, where Windows wrote `train\3\a.jpg` or a list `./a.jpg`."""
    if "\\" in word:
        word = re.sub(r"[\\/]+", "/", word)
    while word.startswith("./"):
        word = word[2:].lstrip("/")
    return word
