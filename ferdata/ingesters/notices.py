"""What an ingester noticed on the way: counted by kind, each told once with an example."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass
class Findings:
    """Counts of noteworthy things that cost no row.

    Attributes:
        dataset: The dataset's name, for the messages.
    """

    dataset: str
    _counts: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, example: str, count: int = 1) -> None:
        """Count something.

        Args:
            kind: What it is, in the plural, for instance `"annotation files are malformed"`.
            example: The first of the things, for the message.
            count: How many.
        """
        if count:
            self._counts[kind] = self._counts.get(kind, 0) + count
            self._examples.setdefault(kind, example)

    def log(self) -> None:
        """Log one warning for each kind."""
        for kind, count in self._counts.items():
            logger.warning("%s: %d %s: %s", self.dataset, count, kind, self._examples[kind])
