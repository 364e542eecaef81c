"""Families: rows that are copies of one image, by their pixels, their names or their parents.

This is the only place that decides what a copy is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.audits.columns import Codes, Mask, encode, encode_together, is_source
from ferdata.audits.copy_names import base_names
from ferdata.audits.copy_pairs import EQUAL, CopyPairs
from ferdata.core.perceptual import equal_pairs
from ferdata.curation.clusters import connected_components
from ferdata.curation.groups import SEQUENCE

BY_NAME, BY_PARENT = "named as a copy", "made by ferdata"

_MOST_NAMED = 100  # rows of one name: more are numbers, not copies


@dataclass(frozen=True)
class Families:
    """The families of N rows.

    Attributes:
        number: Equal for the rows of one family, (N,).
        altered: The same where equal pixels link nothing: only rows with an altered copy are
            together, (N,).
        pairs: The links.
        named: Which rows are named as copies of another row, (N,).
        searched: Whether images were compared; else only names and parents were.
    """

    number: Codes
    altered: Codes
    pairs: CopyPairs
    named: Mask
    searched: bool


def find_families(table: pa.Table, copies: CopyPairs, *, searched: bool) -> Families:
    """Find the families of all rows, augmented copies of ferdata's included.

    Args:
        table: The rows of a manifest.
        copies: The pairs of source rows that show one image.
        searched: Whether images, or their hashes, were compared for that.
    """
    by_name, named = _by_name(table)
    links = _apart(table, copies).join(by_name).join(_by_parent(table))
    return Families(
        number=connected_components(len(table), links.rows),
        altered=connected_components(len(table), links.take(links.kinds != EQUAL).rows),
        pairs=links,
        named=named,
        searched=searched,
    )


def _apart(table: pa.Table, pairs: CopyPairs) -> CopyPairs:
    """Leave out frames of one sequence that are alike without being equal: they are no copies."""
    sequence = encode_together(table, *SEQUENCE)
    first, second = sequence[pairs.rows[:, 0]], sequence[pairs.rows[:, 1]]
    return pairs.take((pairs.kinds == EQUAL) | (first < 0) | (first != second))


def _by_name(table: pa.Table) -> tuple[CopyPairs, Mask]:
    """Link `x_aug0` with `x` where both are there with one label; tell which rows are named so."""
    names, plain = base_names(table.column("uri"))
    source = is_source(table)
    marked = np.asarray(pc.not_equal(names, plain).to_numpy()) & source
    if not marked.any():
        return CopyPairs.none(), marked
    name, _ = encode(plain)
    label, labels = encode(table.column("label"))
    key = np.unique(name * (len(labels) + 1) + label, return_inverse=True)[1].reshape(-1)
    few = np.bincount(key)[key] <= _MOST_NAMED
    original = np.isin(key, key[~marked & source])
    chosen = source & few & original & np.isin(key, key[marked])
    rows = equal_pairs(np.where(chosen, key, -1))
    return CopyPairs.of_kind(rows, BY_NAME), marked & chosen


def _by_parent(table: pa.Table) -> CopyPairs:
    """Link the copies that ferdata made with their originals."""
    copies = np.flatnonzero(~is_source(table))
    if not copies.size:
        return CopyPairs.none()
    ids = table.column("sample_id").combine_chunks()
    parents = pc.index_in(table.column("parent_id").take(copies), value_set=ids)
    positions = pc.fill_null(parents, -1).to_numpy().astype(np.int64)
    rows = np.column_stack((positions, copies))[positions >= 0]
    return CopyPairs.of_kind(rows, BY_PARENT)
