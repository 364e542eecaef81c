"""Class balancing: augmented copies for the small classes of train.

A copy is a row like any other: it has the columns of its parent, and `parent_id`, `copy_index` and
`operations` of its own. Its id is that of its parent and its number, `rafdb/train_00001+2`.
"""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from ferdata.augmentation.drawing import DRAW_BY, Draws
from ferdata.augmentation.operation_config import DEFAULT_LIST, load_operations
from ferdata.augmentation.operations import Operation
from ferdata.augmentation.target import Target
from ferdata.core.draws import rank
from ferdata.core.errors import LabelError, ManifestError, OptionError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.schema import SCHEMA

logger = logging.getLogger(__name__)


def balance(
    manifest: Manifest,
    *,
    to: Target = "max",
    max_copies: int | None = None,
    operations: Sequence[Operation] | None = None,
    draws: Draws = "apart",
    seed: int = 0,
) -> Manifest:
    """Add augmented copies to the small classes of train.

    A class gets exactly the copies that it lacks, or as `max_copies` allows. Its images take turns
    as parents in seeded order, so that their numbers of copies differ by at most one. Nothing is
    removed: classes above their target don't change, nor do validation and test.

    Args:
        manifest: Rows with splits, without copies.
        to: Rows per class: the `max` or the (lower) `median` of all classes, a number, or numbers
            for some classes; the others don't change.
        max_copies: At most this many copies of one image.
        operations: The operations to draw from; default: the list `default`.
        draws: Draw each copy `apart` from the other copies of its image, or each `independent` of
            them.
        seed: Seed of the order of parents and of the operations.

    Returns:
        The rows of the manifest, then the copies, class by class; provenance under `"balance"`.

    Raises:
        ManifestError: Rows have no split, train is empty, or there are copies already.
        OptionError: A target or `max_copies` is out of range, or a class that `to` names has no
            images to copy.
        LabelError: A class that `to` names is not in the label space.
        UnknownNameError: There is no such target, or way to draw.
    """
    if max_copies is not None and max_copies < 1:
        raise OptionError(f"max_copies must be at least 1; got {max_copies}")
    if draws not in DRAW_BY:
        raise UnknownNameError("way to draw copies", draws, DRAW_BY)
    operations = load_operations(DEFAULT_LIST) if operations is None else tuple(operations)
    parents = _parents(manifest, seed)
    before = {label: len(rows) for label, rows in parents.items()}
    wanted = _wanted(before, to)
    plan, short = _planned(before, wanted, max_copies)
    _log(before, wanted, short, max_copies)
    draw = partial(DRAW_BY[draws], operations, seed)
    balanced = manifest.append(_copies(manifest, list(_turns(parents, plan)), draw))
    balanced.validate()
    provenance = {
        "to": dict(to) if isinstance(to, Mapping) else to,
        "max_copies": max_copies,
        "seed": seed,
        "draws": draws,
        "operations": [operation.describe() for operation in operations],
        "before": before,
        "after": {label: before[label] + plan[label] for label in before},
        "short": short,
    }
    return balanced.with_provenance("balance", provenance)


def _parents(manifest: Manifest, seed: int) -> dict[str, list[int]]:
    """Return the row positions of the train images of each class, in seeded order."""
    column = manifest.table.column("split")
    if column.null_count:
        raise ManifestError(f"{column.null_count} rows have no split; run split before balance")
    if manifest.table.column("parent_id").null_count != len(manifest):
        raise ManifestError(
            "the manifest already has augmented copies; balance its source images instead"
        )
    parents: dict[str, list[int]] = {label: [] for label in manifest.label_space.names}
    names = manifest.strings("sample_id")
    labels = manifest.strings("label")
    for row in np.flatnonzero(manifest.strings("split") == "train"):
        parents[labels[row]].append(int(row))
    if not any(parents.values()):
        raise ManifestError("train has no images; there is nothing to balance")
    for rows in parents.values():
        rows.sort(key=lambda row: (rank(seed, f"balance:{names[row]}"), names[row]))
    return parents


def _wanted(before: Mapping[str, int], to: Target) -> dict[str, int]:
    """Return the rows that each class should have; a class without images stays empty."""
    if isinstance(to, Mapping):
        return {**before, **_checked(before, to)}
    present = [rows for rows in before.values() if rows]
    if isinstance(to, str):
        if to not in ("max", "median"):
            raise UnknownNameError("target", to, ("max", "median"))
        to = max(present) if to == "max" else statistics.median_low(present)
    if isinstance(to, bool) or not isinstance(to, int) or to < 1:
        raise OptionError(f"the target must be a number of rows of at least 1; got {to!r}")
    absent = [label for label, rows in before.items() if not rows]
    if absent:
        logger.warning("train has no images of %s, so no copies can be made", ", ".join(absent))
    return {label: to if rows else 0 for label, rows in before.items()}


def _checked(before: Mapping[str, int], targets: Mapping[str, int]) -> Mapping[str, int]:
    """Check targets given by class."""
    for label, rows in targets.items():
        if label not in before:
            raise LabelError(f"can't balance {label!r}; expected one of {', '.join(before)}")
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
            raise OptionError(f"the target of {label} must be a number of rows; got {rows!r}")
        if rows and not before[label]:
            raise OptionError(f"can't balance {label} to {rows}: train has no images of it to copy")
    return targets


def _planned(
    before: Mapping[str, int], wanted: Mapping[str, int], max_copies: int | None
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the copies that each class gets, and those that it lacks for `max_copies`."""
    plan: dict[str, int] = {}
    short: dict[str, int] = {}
    for label, rows in before.items():
        copies = max(wanted[label] - rows, 0)
        plan[label] = copies if max_copies is None else min(copies, max_copies * rows)
        if plan[label] < copies:
            short[label] = copies - plan[label]
    return plan, short


def _log(
    before: Mapping[str, int],
    wanted: Mapping[str, int],
    short: Mapping[str, int],
    max_copies: int | None,
) -> None:
    above = [f"{label} ({rows})" for label, rows in before.items() if rows > wanted[label]]
    if above:
        logger.info("above the target and unchanged: %s", ", ".join(above))
    for label, missing in short.items():
        needed = math.ceil((wanted[label] - before[label]) / before[label])
        logger.warning(
            "%s is %d rows short of its target of %d: max_copies is %d, but %d are needed",
            label,
            missing,
            wanted[label],
            max_copies,
            needed,
        )


def _copies(
    manifest: Manifest, turns: Sequence[tuple[int, int]], draw: Callable[[str, int], str]
) -> pa.Table:
    """Return the rows of all copies: the columns of their parents, with four of their own."""
    rows = pa.array([row for row, _ in turns], pa.int64())
    names = manifest.strings("sample_id")
    table = manifest.table.take(rows)
    own = {
        "sample_id": [f"{names[row]}+{index}" for row, index in turns],
        "parent_id": [names[row] for row, _ in turns],
        "copy_index": [index for _, index in turns],
        "operations": [draw(names[row], index) for row, index in turns],
    }
    for name, values in own.items():
        position = SCHEMA.get_field_index(name)
        field = SCHEMA.field(position)
        table = table.set_column(position, field, pa.array(values, field.type))
    return table


def _turns(parents: Mapping[str, list[int]], plan: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Yield the row of the parent and the copy index, from 1, of each copy."""
    for label, copies in plan.items():
        rows = parents[label]
        for copy in range(copies):
            yield rows[copy % len(rows)], copy // len(rows) + 1
