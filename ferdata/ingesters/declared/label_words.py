"""From the code or word of a declared set to a class, with what is unknown counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ferdata.core.errors import LabelError
from ferdata.core.labels import find_name
from ferdata.ingesters.declared.declaration import Declaration
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.order_names import ORDER_NAMES

_WHOLE = re.compile(r"([+-]?\d+)\.0*")
_SHOWN = 8


@dataclass
class LabelWords:
    """Looks up labels and counts the words that mean nothing.

    Attributes:
        declaration: The declaration, whose `labels` come first.
        names: Names of the codes 0, 1, … that a file itself brings.
    """

    declaration: Declaration
    names: Sequence[str] = ()
    _label_of: dict[str, str] = field(init=False)
    _unknown: Counter[str] = field(default_factory=Counter)
    _total: int = 0

    def __post_init__(self) -> None:
        self._label_of = self.declaration.label_of

    def label(self, word: str) -> str | None:
        """Return the class of a word, `drop`, or None if it is unknown."""
        self._total += 1
        key = word.strip().lower()
        label = self._label_of.get(key) or self._named(key)
        if label is None:
            self._unknown[word] += 1
        return label

    def _named(self, key: str) -> str | None:
        if key.isdigit() and not self.declaration.labels and int(key) < len(self.names):
            key = self.names[int(key)].strip().lower()
            if key in self._label_of:
                return self._label_of[key]
        return find_name(key)

    @property
    def expected(self) -> str:
        """What a label can be, for a reject."""
        if not self._label_of:
            return "expected the name of an expression, or a line under labels:"
        return f"expected one of {', '.join(list(self._label_of)[:_SHOWN])} or an expression"

    def check(self, place: Path) -> None:
        """Refuse a set of which more than a few labels are unknown.

        Raises:
            LabelError: They are; says which, and how to declare them.
        """
        wrong = sum(self._unknown.values())
        if not is_other_dataset(wrong, self._total):
            return
        words = [word for word, _ in sorted(self._unknown.items())]
        listed = ", ".join(map(repr, words[:_SHOWN])) + (", …" if len(words) > _SHOWN else "")
        advice = (
            "Say what the codes mean under labels: with one line each, as in {0: anger}, or with "
            f"one of {', '.join(ORDER_NAMES)}"
            if all(word.strip().isdigit() for word in words)
            else "Add them under labels: with a class, or 'drop'"
        )
        raise LabelError(
            f"{self.declaration.name}: {wrong} of {self._total} labels in {place} are unknown: "
            f"{listed}; {self.expected}. {advice}."
        )


def label_word(value: object) -> str:
    """Return a cell as a word: `3` for 3, `3.0` and `"3.0"`; empty for a missing value."""
    if value is None or value != value:  # noqa: PLR0124 - NaN differs from itself
        return ""
    text = str(value).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text
