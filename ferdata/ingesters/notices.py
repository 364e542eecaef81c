"""What an ingester notices without losing a row: counted by kind, one warning per kind."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass
class Notices:
    """Counts of noteworthy things, with the first of each kind as an example.

    Attributes:
        said: Sentences on how the copy was read, which become part of the record.
    """

    _counts: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """Note how the copy was read, for the log and the record."""
        if sentence not in self.said:
            self.said.append(sentence)

    def add(self, kind: str, example: str, count: int = 1) -> None:
        """Count something.

        Args:
            kind: What it is, in the plural, for instance `"annotation files are malformed"`.
            example: Where, for instance a path; only the first is shown.
            count: How many.
        """
        if count:
            self._counts[kind] = self._counts.get(kind, 0) + count
            self._examples.setdefault(kind, example)

    def log(self, dataset: str) -> None:
        """Log one warning for each kind, and what was said."""
        for sentence in self.said:
            logger.warning("%s: %s", dataset, sentence)
        for kind, count in self._counts.items():
            logger.warning("%s: %d %s: %s", dataset, count, kind, self._examples[kind])
