"""Duplicates of a build: what was found, and the groups that are stored."""

from __future__ import annotations

from collections.abc import Sequence

from ferdata.core.manifest import Manifest
from ferdata.curation.duplicates import DuplicateCluster, find_duplicates
from ferdata.reports.stored import StoredImages
from ferdata.reports.views import DuplicateGroup, Duplicates
from ferdata.shards.record import BuildRecord

SHOWN = 12
"""Groups shown."""

MEMBERS = 4
"""Images of a group shown."""


def duplicates(
    record: BuildRecord, manifest: Manifest | None, images: StoredImages | None
) -> Duplicates:
    """Describe the duplicates of a build.

    Args:
        record: The build's record.
        manifest: Its rows; None if it has none.
        images: Its images; None to show neither them nor their names.
    """
    found = record.summary.provenance.get("duplicates", {})
    stored = _stored(manifest, found.get("near_threshold"))
    return Duplicates(
        action=found.get("action", ""),
        dropped=found.get("dropped", 0),
        clusters=found.get("clusters", len(stored)),
        across_splits=found.get("clusters_across_splits", 0),
        conflicting=found.get("clusters_with_conflicting_labels", 0),
        stored=len(stored),
        groups=_groups(stored, images),
    )


def _stored(manifest: Manifest | None, near: int | None) -> tuple[DuplicateCluster, ...]:
    """Return the groups, those with different labels first."""
    if manifest is None or manifest.table.column("pixel_sha256").null_count == len(manifest):
        return ()
    found = find_duplicates(manifest, near=near).clusters
    return tuple(sorted(found, key=lambda each: (not each.labels_conflict, each.sample_ids)))


def _groups(
    clusters: Sequence[DuplicateCluster], images: StoredImages | None
) -> tuple[DuplicateGroup, ...]:
    shown = clusters[:SHOWN]
    names = [name for each in shown for name in each.sample_ids[:MEMBERS]]
    there = images.find(names) if images is not None and not images.missing else {}
    return tuple(
        DuplicateGroup(
            labels=each.labels,
            splits=tuple(name or "" for name in each.splits),
            samples=() if images is None else each.sample_ids,
            bits=each.bits,
            images=tuple(there[name] for name in each.sample_ids[:MEMBERS] if name in there),
        )
        for each in shown
    )
