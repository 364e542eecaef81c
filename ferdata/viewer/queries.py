"""Queries: which rows fit, in which order. Arrow does the work, and answers are kept."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.viewer.options import RowQuery
from ferdata.viewer.rows import Rows

Found = npt.NDArray[np.int64]

_KEPT = 32
"""Answers kept: 2.4 MB each for 300,000 rows."""

_EQUAL = ("split", "label", "dataset", "predicted")
_SORTED_BY = {"id": "sample_id", "class": "label", "confidence": "confidence"}


class Queries:
    """Answers queries about rows.

    Args:
        rows: The rows.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._answer = lru_cache(_KEPT)(self._find)
        self._order = lru_cache(None)(self._sort)

    def rows(self, query: RowQuery, marked: npt.NDArray[np.bool_] | None = None) -> Found:
        """Return the rows that fit, in the order asked for.

        Args:
            query: The query.
            marked: Which rows have a mark, bool, shape (N,); used if only they are asked for.

        Returns:
            Row numbers, int64.
        """
        found = self._answer(query.model_copy(update={"marked": False}))
        if query.marked and marked is not None:
            return found[marked[found]]
        return found

    def _find(self, query: RowQuery) -> Found:
        fits = np.ones(len(self._rows), np.bool_)
        for condition in self._conditions(query):
            fits &= condition
        order = self._order(query.sort, query.descending)
        return order[fits[order]]

    def _conditions(self, query: RowQuery) -> Iterator[npt.NDArray[np.bool_]]:
        table = self._rows.table
        for name in _EQUAL:
            if value := getattr(query, name):
                yield _mask(pc.equal(table[name], value))
        if query.kind:
            yield self._rows.is_copy == (query.kind == "copies")
        if query.finding:
            chosen = np.zeros(len(self._rows), np.bool_)
            chosen[self._rows.found.get(query.finding, [])] = True
            yield chosen
        if query.outcome:
            same = pc.equal(table["predicted"], table["label"])
            yield _mask(same if query.outcome == "right" else pc.invert(same))
        if query.least > 0:
            yield _mask(pc.greater_equal(table["confidence"], query.least))
        if query.most < 1:
            yield _mask(pc.less_equal(table["confidence"], query.most))
        if query.search:
            yield _mask(pc.match_substring(table["sample_id"], query.search, ignore_case=True))

    def _sort(self, by: str, descending: bool) -> Found:
        if by == "build":
            order = np.arange(len(self._rows))
            return order[::-1] if descending else order
        keys = [(_SORTED_BY[by], "descending" if descending else "ascending")]
        indices = pc.sort_indices(self._rows.table, sort_keys=keys)  # null is last
        return np.asarray(indices.to_numpy(), np.int64)


def _mask(condition: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return a condition as a mask; unknown is no."""
    return np.asarray(pc.fill_null(condition, False).to_numpy(), np.bool_)
