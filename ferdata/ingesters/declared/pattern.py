"""Patterns of paths with places, such as `{split}/{label}/*.png`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

PLACES = ("split", "label", "subject", "sequence", "frame", "session", "pose")
"""What a pattern of image paths can contain; they are columns of the manifest."""

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}]*\}|[^*?{}]+|[{}]")
_WILD = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True)
class Pattern:
    """A pattern of posix paths; letter case is ignored, as endings come in both.

    Attributes:
        text: As written.
        places: Its places, in order.
    """

    text: str
    places: tuple[str, ...]

    @classmethod
    def of(cls, text: str, *, allowed: tuple[str, ...]) -> Pattern:
        """Read a pattern.

        Raises:
            ValueError: It has an unknown place, or one twice.
        """
        tokens = _TOKEN.findall(text)
        places = tuple(each[1:-1] for each in tokens if each[0] == "{" and len(each) > 1)
        listed = ", ".join(f"{{{each}}}" for each in allowed)
        if "{" in tokens or "}" in tokens:
            raise ValueError(f"{text!r}: a brace is not closed; places are {listed}")
        if unknown := [each for each in places if each not in allowed]:
            raise ValueError(f"{text!r}: unknown place {{{unknown[0]}}}; expected {listed}")
        if len(set(places)) < len(places):
            raise ValueError(f"{text!r}: a place occurs twice")
        return cls(text, places)

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The pattern as a regular expression with a group for each place."""
        parts = []
        for token in _TOKEN.findall(self.text.removeprefix("./")):
            if token[0] == "{":
                parts.append(f"(?P<{token[1:-1]}>[^/]+?)")
            else:
                parts.append(_WILD.get(token) or re.escape(token))
        return re.compile("".join(parts), re.IGNORECASE)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the word at each place, or None for a path that doesn't fit."""
        found = self.regex.fullmatch(path)
        return found.groupdict() if found else None

    def fill(self, words: dict[str, str]) -> str:
        """Return the pattern with words in its places."""
        return re.sub(r"\{(\w+)\}", lambda place: words.get(place[1], place[0]), self.text)
