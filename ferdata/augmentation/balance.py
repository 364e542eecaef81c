"""Balancing: raising the small classes of train with augmented copies.

A copy is a row like any other: it has its parent's columns, and `parent_id`, `copy_index` and
`operations` of its own. Its id is the parent's with its number, `rafdb/train_00001+2`.
"""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from ferdata.augmentation.operations import OPERATIONS, Operation
from ferdata.augmentation.row_operations import draw_operations
from ferdata.core.draws import generator, rank
from ferdata.core.errors import LabelError, ManifestError, OptionError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.schema import SCHEMA

logger = logging.getLogger(__name__)

Target: TypeAlias = str | int | Mapping[str, int]
"""`"max"`, `"median"`, a number of rows for every class, or a number for some classes by name."""


def parse_target(text: str) -> Target:
    """Read a target as written on the command line.

    Args:
        text: `max`, `median`, a number, or `CLASS=N,CLASS=N`.

    Raises:
        OptionError: It is none of these.
    """
    text = text.strip()
    if text in ("max", "median"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    targets: dict[str, int] = {}
    for item in text.split(","):
        label, equals, number = (part.strip() for part in item.partition("="))
        if not (label and equals and number.isascii() and number.isdigit()):
            raise OptionError(
                f"{text!r} is not a target to balance to; "
                "write max, median, a number, or fear=1000,anger=800"
            )
        if label in targets:
            raise OptionError(f"{text!r} names {label} twice")
        targets[label] = int(number)
    return targets


def balance(
    manifest: Manifest,
    *,
    to: Target = "max",
    max_copies: int | None = None,
    operations: Sequence[Operation] | None = None,
    seed: int = 0,
) -> Manifest:
    """Add augmented copies to the small classes of train.

    A class gets exactly as many copies as it lacks, unless `max_copies` forbids. Its images take
    turns as parents in seeded order, so the copies of two of them differ by one at most. Nothing
    is ever removed: a class above its target stays as it is. Validation and test are not touched.

    Args:
        manifest: Rows with splits, without copies.
        to: Rows per class: `max` of all classes, `median` of them (of the two in the middle the
            lower), a number, or numbers for some classes, the others staying as they are.
        max_copies: At most this many copies of one image.
        operations: What to draw from; default `OPERATIONS`.
        seed: Draws other parents and other values.

    Returns:
        The rows of the manifest, then the copies, class by class; provenance under `"balance"`.

    Raises:
        ManifestError: Rows have no split, train is empty, or there are copies already.
        OptionError: A target or `max_copies` makes no sense, or a class that is asked for by name
            has no image to copy.
        LabelError: A target's class is not in the label space.
    """
    if max_copies is not None and max_copies < 1:
        raise OptionError(f"max_copies is at least 1; got {max_copies}")
    operations = OPERATIONS if operations is None else tuple(operations)
    parents = _parents(manifest, seed)
    before = {label: len(rows) for label, rows in parents.items()}
    wanted = _wanted(before, to)
    plan = {label: max(wanted[label] - rows, 0) for label, rows in before.items()}
    short: dict[str, int] = {}
    for label, copies in plan.items():
        possible = copies if max_copies is None else min(copies, max_copies * before[label])
        if possible < copies:
            short[label] = copies - possible
        plan[label] = possible
    _log(before, wanted, short, max_copies)
    balanced = manifest.append(_copies(manifest, parents, plan, operations, seed))
    balanced.validate()
    provenance = {
        "to": dict(to) if isinstance(to, Mapping) else to,
        "max_copies": max_copies,
        "seed": seed,
        "operations": [operation.describe() for operation in operations],
        "before": before,
        "after": {label: before[label] + plan[label] for label in before},
        "short": short,
    }
    return balanced.with_provenance("balance", provenance)


def _parents(manifest: Manifest, seed: int) -> dict[str, list[int]]:
    """Return the row positions of each class's train images, in seeded order."""
    column = manifest.table.column("split")
    if column.null_count:
        raise ManifestError(f"{column.null_count} rows have no split; run split before balance")
    if manifest.table.column("parent_id").null_count != len(manifest):
        raise ManifestError("the manifest has augmented copies already; balance its source instead")
    parents: dict[str, list[int]] = {label: [] for label in manifest.label_space.names}
    names = manifest.strings("sample_id")
    labels = manifest.strings("label")
    for row in np.flatnonzero(manifest.strings("split") == "train"):
        parents[labels[row]].append(int(row))
    if not any(parents.values()):
        raise ManifestError("train has no image; there is nothing to balance")
    for rows in parents.values():
        rows.sort(key=lambda row: (rank(seed, f"balance:{names[row]}"), names[row]))
    return parents


def _wanted(before: Mapping[str, int], to: Target) -> dict[str, int]:
    """Return the rows that each class should have; a class without any can't have more."""
    if isinstance(to, Mapping):
        return {**before, **_checked(before, to)}
    present = [rows for rows in before.values() if rows]
    if isinstance(to, str):
        if to not in ("max", "median"):
            raise UnknownNameError("target", to, ("max", "median"))
        to = max(present) if to == "max" else statistics.median_low(present)
    if isinstance(to, bool) or not isinstance(to, int) or to < 1:
        raise OptionError(f"a class is balanced to a number of rows from 1 up; got {to!r}")
    absent = [label for label, rows in before.items() if not rows]
    if absent:
        logger.warning("train has no image of %s; none can be made", ", ".join(absent))
    return {label: to if rows else 0 for label, rows in before.items()}


def _checked(before: Mapping[str, int], targets: Mapping[str, int]) -> Mapping[str, int]:
    """Check targets that were given class by class."""
    for label, rows in targets.items():
        if label not in before:
            raise LabelError(f"can't balance {label!r}: expected one of {', '.join(before)}.")
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
            raise OptionError(f"{label} can't be balanced to {rows!r}; give a number of rows")
        if rows and not before[label]:
            raise OptionError(
                f"{label} can't be raised to {rows}: train has no image of it to copy"
            )
    return targets


def _log(
    before: Mapping[str, int],
    wanted: Mapping[str, int],
    short: Mapping[str, int],
    max_copies: int | None,
) -> None:
    above = [f"{label} ({rows})" for label, rows in before.items() if rows > wanted[label]]
    if above:
        logger.info("above the target and left as they are: %s", ", ".join(above))
    for label, missing in short.items():
        needed = math.ceil((wanted[label] - before[label]) / before[label])
        logger.warning(
            "%s stays %d rows below its target of %d: max_copies is %d, %d would be needed",
            label,
            missing,
            wanted[label],
            max_copies,
            needed,
        )


def _copies(
    manifest: Manifest,
    parents: Mapping[str, list[int]],
    plan: Mapping[str, int],
    operations: Sequence[Operation],
    seed: int,
) -> pa.Table:
    """Return the rows of all copies: whole columns of the parents, then their own four."""
    turns = list(_turns(parents, plan))
    rows = pa.array([row for row, _ in turns], pa.int64())
    names = manifest.strings("sample_id")
    drawn = [
        draw_operations(operations, generator(seed, names[row], index, "operations"))
        for row, index in turns
    ]
    table = manifest.table.take(rows)
    own = {
        "sample_id": [f"{names[row]}+{index}" for row, index in turns],
        "parent_id": [names[row] for row, _ in turns],
        "copy_index": [index for _, index in turns],
        "operations": drawn,
    }
    for name, values in own.items():
        position = SCHEMA.get_field_index(name)
        field = SCHEMA.field(position)
        table = table.set_column(position, field, pa.array(values, field.type))
    return table


def _turns(parents: Mapping[str, list[int]], plan: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Yield (parent's row, copy index from 1) for each copy: parents take turns."""
    for label, copies in plan.items():
        rows = parents[label]
        for copy in range(copies):
            yield rows[copy % len(rows)], copy // len(rows) + 1
