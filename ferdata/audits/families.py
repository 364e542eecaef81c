"""Families: rows that are copies of one image, by their pixels, their names or their parents.

This is the only place that decides what a copy is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ferdata.audits.altered_pairs import CopyPairs, find_pairs
from ferdata.audits.copy_names import base_names
from ferdata.core.perceptual import equal_pairs
from ferdata.curation.clusters import connected_components
from ferdata.curation.groups import SEQUENCE

if TYPE_CHECKING:
    from ferdata.audits.subject import AuditSubject

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BY_NAME, BY_PARENT = "named as a copy", "made by ferdata"

_MOST_NAMED = 100  # rows of one name: more are numbers, not copies


@dataclass(frozen=True)
class Families:
    """The families of N rows.

    Attributes:
        number: Equal for the rows of one family, (N,).
        altered: The same where equal pixels link nothing: only rows with an altered copy are
            together, (N,).
        pairs: The links between source rows.
        searched: Whether images were compared; else only names and parents were.
    """

    number: Codes
    altered: Codes
    pairs: CopyPairs
    searched: bool


def find_families(subject: AuditSubject) -> Families:
    """Find the families of all rows, augmented copies of ferdata's included."""
    pairs = _apart(subject, find_pairs(subject))
    links = pairs.join(_named(subject)).join(_parents(subject))
    number = connected_components(len(subject), links.rows)
    altered = links.take(links.kinds != "equal")
    return Families(
        number,
        connected_components(len(subject), altered.rows),
        links,
        searched=subject.measures is not None or _has_hashes(subject),
    )


def sizes(number: Codes, rows: Mask) -> Codes:
    """Return for each row the number of chosen rows in its family, (N,)."""
    return np.bincount(number[rows], minlength=len(number))[number]


def _has_hashes(subject: AuditSubject) -> bool:
    column = subject.table.column("pixel_sha256")
    return bool(column.null_count < len(column))


def _apart(subject: AuditSubject, pairs: CopyPairs) -> CopyPairs:
    """Leave out frames of one sequence that are alike without being equal: they are no copies."""
    sequence = subject.codes(*SEQUENCE)
    first, second = sequence[pairs.rows[:, 0]], sequence[pairs.rows[:, 1]]
    return pairs.take((pairs.kinds == "equal") | (first < 0) | (first != second))


def _named(subject: AuditSubject) -> CopyPairs:
    """Link `x_aug0` with `x` where both are there with one label."""
    names, plain = base_names(subject.table.column("uri"))
    marked = np.asarray(pc.not_equal(names, plain).to_numpy()) & subject.sources
    if not marked.any():
        return CopyPairs.none()
    key = _key(subject, plain.combine_chunks())
    base = np.isin(key, key[~marked & subject.sources])
    count = np.bincount(key, minlength=1)[key]
    chosen = base & subject.sources & (count > 1) & (count <= _MOST_NAMED)
    with_mark = np.isin(key, key[marked & chosen])
    rows = equal_pairs(np.where(chosen & with_mark, key, -1))
    return CopyPairs.of_kind(rows, BY_NAME)


def _key(subject: AuditSubject, plain: object) -> Codes:
    codes = pc.dictionary_encode(plain).indices.to_numpy().astype(np.int64)
    both = codes * (len(subject.classes) + 1) + subject.label
    return np.unique(both, return_inverse=True)[1].reshape(-1)


def _parents(subject: AuditSubject) -> CopyPairs:
    copies = np.flatnonzero(~subject.sources)
    if not copies.size:
        return CopyPairs.none()
    table = subject.table
    parents = pc.index_in(
        table.column("parent_id").take(copies), value_set=table.column("sample_id").combine_chunks()
    )
    parents = pc.fill_null(parents, -1).to_numpy().astype(np.int64)
    rows = np.column_stack((parents, copies))[parents >= 0]
    return CopyPairs.of_kind(rows, BY_PARENT)
