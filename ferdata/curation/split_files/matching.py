"""Finding the rows of a copy in a split file: by name, by equal pixels, by nearly equal ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import OptionError
from ferdata.core.manifest import Manifest
from ferdata.curation.split_files.published import hash_prefixes
from ferdata.curation.split_files.table import NEAR_BYTES, PIXEL_BYTES, SplitTable

NEAR_BITS = 3
"""Bits of 64 in which the hashes of an image in two copies may differ."""

_BANDS = 4  # of 16 bits: hashes that differ in 3 bits have one in common


@dataclass
class Matches:
    """Which entry of a split file each row of a copy is.

    Attributes:
        entry: Position of the entry for each row, -1 for none; int64, shape (N,).
        by: Rows found by `name`, by `pixels`, by `near` pixels.
        ambiguous: Rows that could be several entries with different splits or labels.
        missing: Positions of entries that no row is.
        relabeled: Pairs of row and entry with different labels.
    """

    entry: npt.NDArray[np.int64]
    by: dict[str, int] = field(default_factory=dict)
    ambiguous: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    relabeled: list[tuple[int, int]] = field(default_factory=list)


def match_rows(rows: Manifest, table: SplitTable, parts: Sequence[str]) -> Matches:
    """Find the entry of each row.

    Args:
        rows: The rows of one dataset.
        table: The split file.
        parts: The split of each entry.

    Raises:
        OptionError: The file counts rows, and other than these.
    """
    found = Matches(np.full(len(rows), -1, np.int64))
    if not table.names:
        if table.positions and max(table.positions) >= len(rows):
            raise OptionError(
                f"the file's positions reach {max(table.positions):,}, but the copy has "
                f"{len(rows):,} rows; positions need the very copy that they were made for"
            )
        found.entry[np.asarray(table.positions, np.int64)] = np.arange(len(table))
        found.by["position"] = len(table)
        return found
    free = np.ones(len(table), bool)
    _by_name(rows, table, found, free)
    kinds = [f"{part} {label}" for part, label in _kinds(table, parts)]
    if table.pixels.any():
        own = hash_prefixes(rows.column("pixel_sha256"), PIXEL_BYTES)
        _by_hash(found, free, own, table.pixels, kinds, "pixels", 0)
    if table.near.any():
        own = hash_prefixes(rows.column("perceptual_hash"), NEAR_BYTES)
        _by_hash(found, free, own, table.near, kinds, "near", NEAR_BITS)
    found.missing = np.flatnonzero(free).tolist()
    if table.labels:
        labels = rows.column("label")
        found.relabeled = [
            (row, entry)
            for row, entry in enumerate(found.entry.tolist())
            if entry >= 0 and labels[row] != table.labels[entry]
        ]
    return found


def _by_name(
    rows: Manifest, table: SplitTable, found: Matches, free: npt.NDArray[np.bool_]
) -> None:
    """Match by sample id, key, path, file name or stem; the last two only where they are unique."""
    entries: dict[str, int] = {}
    for position, name in enumerate(table.names):
        entries[name] = position
    short = _unique((_short(name), position) for position, name in enumerate(table.names))
    names = list(zip(rows.column("sample_id"), rows.column("uri"), strict=True))
    own_short = _unique((_short(uri), row) for row, (_, uri) in enumerate(names))
    for row, (name, uri) in enumerate(names):
        key = name.partition("/")[2]
        known = [entries[each] for each in (name, key, uri) if each in entries]
        entry: int | None = known[0] if known else None
        if entry is None and own_short.get(_short(uri)) == row:
            entry = short.get(_short(uri), short.get(_short(key)))
        if entry is not None and free[entry]:
            found.entry[row], free[entry] = entry, False
    found.by["name"] = int((found.entry >= 0).sum())


def _short(name: str) -> str:
    """Return a file's name without folders and ending."""
    base = name.rpartition("/")[2]
    return base.rpartition(".")[0] or base


def _unique(pairs: Iterator[tuple[str, int]]) -> dict[str, int]:
    """Return the position of each name that occurs once."""
    seen: dict[str, int] = {}
    twice = set()
    for name, position in pairs:
        if name in seen:
            twice.add(name)
        seen[name] = position
    return {name: position for name, position in seen.items() if name not in twice}


def _by_hash(
    found: Matches,
    free: npt.NDArray[np.bool_],
    own: npt.NDArray[np.uint64],
    theirs: npt.NDArray[np.uint64],
    kinds: Sequence[str],
    how: str,
    most: int,
) -> None:
    """Match open rows to free entries whose hashes differ in at most some bits."""
    open_rows = np.flatnonzero((found.entry < 0) & (own != 0))
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for position in np.flatnonzero(free & (theirs != 0)).tolist():
        for key in _keys(int(theirs[position]), most):
            buckets[key].append(position)
    number = 0
    for row in open_rows.tolist():
        value = int(own[row])
        near = {
            position: (value ^ int(theirs[position])).bit_count()
            for key in _keys(value, most)
            for position in buckets.get(key, ())
            if free[position]
        }
        least = min(near.values(), default=most + 1)
        if least > most:
            continue
        nearest = [position for position, bits in near.items() if bits == least]
        if len({kinds[position] for position in nearest}) > 1:
            found.ambiguous.append(row)
            continue
        found.entry[row], free[min(nearest)] = min(nearest), False
        number += 1
    found.by[how] = number


def _keys(value: int, most: int) -> list[tuple[int, int]]:
    """Return what a hash is looked up by: itself, or its bands."""
    if not most:
        return [(0, value)]
    return [(band, value >> 16 * band & 0xFFFF) for band in range(_BANDS)]


def _kinds(table: SplitTable, parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    labels = table.labels or [""] * len(table)
    return zip(parts, labels, strict=True)
