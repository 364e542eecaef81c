"""A tuple that shows itself as a table, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ferdata.core import html
from ferdata.core.tables import text_table


class Listing(tuple[Any, ...]):
    """A tuple that shows itself as a table.

    Attributes:
        heads: Heads of the table.
        rows: Its rows, one for each item.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    @classmethod
    def of(
        cls, items: Iterable[Any], heads: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> Listing:
        """Return a listing of some items, with a row of the table for each."""
        made = cls(items)
        made.heads, made.rows = tuple(heads), tuple(map(tuple, rows))
        return made

    def __getattr__(self, name: str) -> Any:
        item = self[0] if self else None
        if not name.startswith("_") and hasattr(item, name):
            raise AttributeError(
                f"this is a list of {len(self)}; take one of them, such as [0].{name}"
            )
        return self.__getattribute__(name)  # fails as it did

    def __repr__(self) -> str:
        return text_table(self.heads, [list(map(str, row)) for row in self.rows], align="l")

    def _repr_html_(self) -> str:
        return html.table(self.heads, self.rows)
