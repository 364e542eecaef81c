"""Patterns of paths with places, such as `{split}/{label}/*.png`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

PLACES = (
    "split",
    "label",
    "subject",
    "sequence",
    "frame",
    "session",
    "pose",
    "gender",
    "race",
    "age_group",
)
"""What a pattern of image paths can contain; they are columns of the manifest."""

OTHERS = "*"
"""Among the words of a place: there are others, too."""

_PART = re.compile(r"\*\*/|\*\*|\*|\?|#+|\{[^{}]*\}|[^*?#{}]+|[{}]")
_WILD = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_NUMBERS = frozenset({"frame"})
_ABOVE = "_above"  # the group of a leading `**/`


@dataclass(frozen=True)
class Pattern:
    """A pattern of posix paths; letter case is ignored, as endings come in both.

    `**` stands for any folders, `*` for any text in a name, `?` for one letter, `#` for one digit.
    A place that occurs again stands for the same word.

    Attributes:
        text: As written.
        places: Its places, in order.
        words: The words that occur at a place; any text at the other places, digits at `{frame}`.
    """

    text: str
    places: tuple[str, ...]
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        text: str,
        *,
        allowed: Sequence[str],
        words: Mapping[str, Sequence[str]] | None = None,
    ) -> Pattern:
        """Read a pattern.

        Raises:
            ValueError: It has an unknown place.
        """
        pieces = _PART.findall(text)
        found = [each[1:-1] for each in pieces if each[0] == "{" and len(each) > 1]
        places = tuple(dict.fromkeys(found))
        listed = ", ".join(f"{{{each}}}" for each in allowed)
        if "{" in pieces or "}" in pieces:
            raise ValueError(f"{text!r}: a brace is not closed; places are {listed}")
        if unknown := [each for each in places if each not in allowed]:
            raise ValueError(f"{text!r}: unknown place {{{unknown[0]}}}; expected {listed}")
        return cls(text, places, words or {})

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """Its parts: places, wild cards and text."""
        return tuple(_PART.findall(self.text.removeprefix("./")))

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The pattern as a regular expression with a group for each place."""
        parts: list[str] = []
        seen: set[str] = set()
        for number, piece in enumerate(self.pieces):
            place = piece[1:-1]
            if piece[0] == "#":
                parts.append(f"[0-9]{{{len(piece)}}}")
            elif number == 0 and piece == "**/":
                parts.append(f"(?P<{_ABOVE}>{_WILD[piece]})")
            elif piece[0] != "{":
                parts.append(_WILD.get(piece) or re.escape(piece))
            elif place in seen:
                parts.append(f"(?P={place})")
            else:
                parts.append(f"(?P<{place}>{self._at(place)})")
                seen.add(place)
        return re.compile("".join(parts), re.IGNORECASE)

    def _at(self, place: str) -> str:
        """Return the regular expression of what stands at a place."""
        words = self.words.get(place, (OTHERS,))
        if OTHERS not in words:
            return "|".join(sorted(map(re.escape, words), key=len, reverse=True))
        return "[0-9]+" if place in _NUMBERS else "[^/]+?"

    def match(self, path: str) -> dict[str, str] | None:
        """Return the word at each place, or None for a path that doesn't fit."""
        found = self.regex.fullmatch(path)
        if found is None:
            return None
        return {place: word for place, word in found.groupdict().items() if place != _ABOVE}

    def folder_above(self, path: str) -> str:
        """Return the folders that a leading `**/` stands for in a path; `""` without one."""
        found = self.regex.fullmatch(path)
        return (found.groupdict().get(_ABOVE) or "").rstrip("/") if found else ""

    def fill(self, words: Mapping[str, str]) -> str:
        """Return the pattern with words in its places."""
        return re.sub(r"\{(\w+)\}", lambda place: words.get(place[1], place[0]), self.text)

    def example(self, words: Mapping[str, str], number: int) -> str:
        """Return a path that fits.

        Args:
            words: The word at each place.
            number: Stands for `*` and in `#`, so that paths with other numbers differ.
        """
        parts = []
        for piece in self.pieces:
            if piece[0] == "#":
                parts.append(str(number % 10 ** len(piece)).zfill(len(piece)))
            elif piece in _WILD:
                parts.append("" if piece == "**/" else str(number))
            else:
                parts.append(words[piece[1:-1]] if piece[0] == "{" else piece)
        return "".join(parts)


def expand_range(words: Sequence[str]) -> tuple[str, ...]:
    """Return words with ranges written out: `P01..P03` is P01, P02, P03."""
    found: list[str] = []
    for word in words:
        ends = re.fullmatch(r"(?P<text>.*?)(?P<first>\d+)\.\.(?P=text)(?P<last>\d+)", word)
        if ends is None:
            found.append(word)
        else:
            digits = len(ends["first"])
            numbers = range(int(ends["first"]), int(ends["last"]) + 1)
            found += [f"{ends['text']}{number:0{digits}}" for number in numbers]
    return tuple(found)
