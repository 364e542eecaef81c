"""What a split rule is; the rules themselves are in `split_rules` and `given_splits`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ferdata.core.errors import OptionError

SPLITS = ("train", "validation", "test")
"""The splits, in the order of their use."""


@dataclass(frozen=True)
class SplitRule(ABC):
    """How the rows of one dataset are assigned to splits.

    Attributes:
        name: What the rule's text begins with.
        example: The text of one such rule, for messages.
        needs: The manifest columns that must be filled in every row of the dataset.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    @property
    def text(self) -> str:
        """The rule as text, the same for equal rules."""
        return self.name

    @classmethod
    def parse(cls, arguments: str) -> SplitRule:
        """Parse what follows the name and its colon.

        Raises:
            OptionError: The arguments are not those of this rule.
        """
        if arguments:
            raise OptionError(f"split rule {cls.name}:{arguments}: {cls.name} takes no arguments")
        return cls()


class FixedRule(SplitRule):
    """A rule that says the split of every row.

    If it puts no row into validation, `ferdata.curation.split.split` holds validation out of train.

    Attributes:
        is_given: Whether the split comes with the data or from the user, and is not computed.
    """

    is_given: ClassVar[bool] = False

    @abstractmethod
    def assign(self, dataset: str, *values: Sequence[str]) -> list[str]:
        """Return the split of each row.

        Args:
            dataset: Name of the dataset, for messages.
            *values: The rows' values in each column that the rule needs.

        Raises:
            OptionError: The rule can't be applied to this dataset.
        """

    def provenance(self, *values: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002 - most add none
        """Return what to add to the provenance of the split about this dataset, by key."""
        return {}
