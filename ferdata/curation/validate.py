"""What must hold of the splits before anything is rendered."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError
from ferdata.core.manifest import Manifest
from ferdata.curation.leaks import leak_texts

logger = logging.getLogger(__name__)


def check_splits(manifest: Manifest) -> None:
    """Check that every row has a split, copies stay with their parents, and nothing leaks.

    Run it after `split`, and again after `balance`. What the provenance declares, duplicates that
    were kept or rows that were drawn one by one, is a warning instead of an error.

    Args:
        manifest: Rows with `split`.

    Raises:
        ManifestError: A row has no split; an augmented copy's parent is missing; and, where that
            is not declared, a copy is in another split than its parent, or a person or a pixel
            hash is in two splits.
    """
    table = manifest.table
    column = table.column("split")
    if column.null_count:
        name = table.filter(pc.is_null(column)).column("sample_id")[0].as_py()
        raise ManifestError(f"{column.null_count} rows are in no split, for instance {name!r}")
    leak = manifest.provenance.get("leak", {})
    for text in leak_texts({"leak": leak}):
        logger.warning("this build leaks: %s", text)
    apart = leak.get("augmented_before_split", False)
    check_parents(manifest, apart=apart)
    _check_subjects(manifest)
    leaks = pictures_in_two_splits(manifest)
    if not leaks or apart:
        return
    rows = table.filter(pc.equal(table.column("pixel_sha256"), leaks[0]))
    names = ", ".join(
        f"{row['sample_id']} ({row['split']})"
        for row in rows.select(["sample_id", "split"]).slice(0, 4).to_pylist()
    )
    message = f"{len(leaks)} pictures are in more than one split, for instance {names}"
    if manifest.provenance.get("duplicates", {}).get("action") != "keep":
        raise ManifestError(f"{message}; run ferdata.curation.duplicates.drop_duplicates first")
    logger.warning("%s; they were kept on purpose: this build leaks", message)


def pictures_in_two_splits(manifest: Manifest) -> list[str]:
    """Return the pixel hashes that occur in more than one split, sorted."""
    known = manifest.table.select(["pixel_sha256", "split"]).drop_null()
    splits = known.group_by("pixel_sha256").aggregate([("split", "count_distinct")])
    leaking = splits.filter(pc.greater(splits.column("split_count_distinct"), 1))
    return sorted(leaking.column("pixel_sha256").to_pylist())


def subjects_in_two_splits(manifest: Manifest) -> list[tuple[str, str]]:
    """Return dataset and subject of the people that occur in more than one split, sorted.

    People of datasets whose rows were drawn one by one, as the provenance says, are passed over.
    """
    known = manifest.table.select(["dataset", "subject", "split"]).drop_null()
    splits = known.group_by(["dataset", "subject"]).aggregate([("split", "count_distinct")])
    leaking = splits.filter(pc.greater(splits.column("split_count_distinct"), 1))
    pairs = zip(
        leaking.column("dataset").to_pylist(), leaking.column("subject").to_pylist(), strict=True
    )
    declared = manifest.provenance.get("leak", {}).get("one_by_one", ())
    return sorted(pair for pair in pairs if pair[0] not in declared)


def _check_subjects(manifest: Manifest) -> None:
    """Refuse people in two splits."""
    leaks = subjects_in_two_splits(manifest)
    if not leaks:
        return
    dataset, subject = leaks[0]
    table = manifest.table
    mine = pc.and_(
        pc.equal(table.column("dataset"), dataset), pc.equal(table.column("subject"), subject)
    )
    rows = table.filter(pc.fill_null(mine, False))
    parts = ", ".join(sorted(pc.unique(rows.column("split")).to_pylist()))
    raise ManifestError(
        f"{len(leaks)} people are in more than one split, for instance {subject} of {dataset} "
        f"({parts}); hold people apart: --split subject:8:1:1"
    )


def check_parents(manifest: Manifest, *, apart: bool = False, gone: Iterable[str] = ()) -> None:
    """Check that augmented copies have parents, and stay with them.

    Args:
        manifest: Rows with `split`.
        apart: Copies were split apart from their parents, as the provenance declares.
        gone: Sample ids of parents that were there when the copies were made, and are not any more.

    Raises:
        ManifestError: A copy's parent is missing or, unless `apart`, in another split.
    """
    table = manifest.table
    copies = table.filter(pc.is_valid(table.column("parent_id")))
    if not copies.num_rows:
        return
    parents = copies.column("parent_id")
    positions = pc.index_in(parents, table.column("sample_id"))
    excused = pc.is_in(parents, value_set=pa.array(sorted(gone), parents.type))
    lost = pc.and_(pc.is_null(positions), pc.invert(excused))
    if pc.any(lost).as_py():
        row = copies.filter(lost).select(["sample_id", "parent_id"]).slice(0, 1).to_pylist()[0]
        raise ManifestError(
            f"augmented copy {row['sample_id']!r} has no parent {row['parent_id']!r} here"
        )
    if apart:
        return
    moved = pc.not_equal(table.column("split").take(positions), copies.column("split"))
    if pc.any(moved).as_py():
        name = copies.filter(moved).column("sample_id")[0].as_py()
        raise ManifestError(f"augmented copy {name!r} is in another split than its parent")
