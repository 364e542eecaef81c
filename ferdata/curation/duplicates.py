"""Duplicates: the same image under several names, equal in every pixel or nearly so.

An image in both train and test lets a model score by memorizing it. By default the copy in train is
dropped, with a reject that names the copy that stays. Duplicates inside one split don't distort an
evaluation; they stay and are reported, and so are duplicates with different labels.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.perceptual import BITS, decode_hashes, distances
from ferdata.core.rejects import Reject
from ferdata.core.schema import SPLITS
from ferdata.curation.clusters import RowClusters, find_clusters

logger = logging.getLogger(__name__)

Action = Literal["drop", "keep"]
"""What can be done with duplicates, see `drop_duplicates`."""

_EXAMPLES = 3  # clusters that a message names
_SHOWN = 6  # rows of a cluster that a message names

_COLUMNS = ("sample_id", "dataset", "label", "pixel_sha256", "perceptual_hash")


@dataclass(frozen=True)
class DuplicateCluster:
    """Rows that hold the same image, sorted by `sample_id`.

    Attributes:
        sample_ids: The rows.
        datasets: The dataset of each row.
        splits: The split of each row; None if it has none.
        labels: The label of each row.
        pixels: The pixel hash of each row.
        hashes: The perceptual hash of each row; None if it has none.
        bits: The largest number of bits, of 256, in which two linked rows differ; None if all rows
            have equal pixels.
    """

    sample_ids: tuple[str, ...]
    datasets: tuple[str, ...]
    splits: tuple[str | None, ...]
    labels: tuple[str, ...]
    pixels: tuple[str, ...]
    hashes: tuple[str | None, ...]
    bits: int | None

    @property
    def is_near(self) -> bool:
        """Whether some of the rows have other pixels."""
        return self.bits is not None

    @property
    def crosses_splits(self) -> bool:
        """Whether the image is in more than one split."""
        return len({name for name in self.splits if name is not None}) > 1

    @property
    def crosses_datasets(self) -> bool:
        """Whether the image is in more than one dataset."""
        return len(set(self.datasets)) > 1

    @property
    def labels_conflict(self) -> bool:
        """Whether the image has more than one label."""
        return len(set(self.labels)) > 1

    def __str__(self) -> str:
        rows = zip(self.sample_ids, self.splits, self.labels, strict=True)
        equal = " ≈ " if self.is_near else " = "
        named = equal.join(
            f"{name} ({part}, {label})" if part else f"{name} ({label})"
            for name, part, label in islice(rows, _SHOWN)
        )
        hidden = len(self.sample_ids[_SHOWN:])
        return f"{named}{equal}{hidden} more" if hidden else named


@dataclass(frozen=True)
class DuplicateReport:
    """The duplicates of a manifest.

    Attributes:
        clusters: Every cluster of duplicates, sorted by its first `sample_id`.
        near: The threshold in bits; None if only equal pixels count.
    """

    clusters: tuple[DuplicateCluster, ...]
    near: int | None = None

    @property
    def across_splits(self) -> tuple[DuplicateCluster, ...]:
        """Clusters in more than one split: leakage."""
        return tuple(cluster for cluster in self.clusters if cluster.crosses_splits)

    @property
    def conflicting(self) -> tuple[DuplicateCluster, ...]:
        """Clusters with more than one label."""
        return tuple(cluster for cluster in self.clusters if cluster.labels_conflict)

    def summary(
        self, action: Action, across_splits: Sequence[DuplicateCluster], dropped: int
    ) -> dict[str, Any]:
        """Return what the provenance records.

        Args:
            action: What was done.
            across_splits: The clusters that were in more than one split.
            dropped: Number of dropped rows.
        """
        return {
            "action": action,
            "clusters": len(self.clusters),
            "clusters_across_splits": len(across_splits),
            "clusters_across_datasets": sum(each.crosses_datasets for each in self.clusters),
            "clusters_with_conflicting_labels": len(self.conflicting),
            "near_clusters": sum(each.is_near for each in self.clusters),
            "near_threshold": self.near,
            "dropped": dropped,
        }


def find_duplicates(manifest: Manifest, *, near: int | None = None) -> DuplicateReport:
    """Find source images that are the same.

    The split of a row is `split` or, before that is filled, `official_split`.

    Args:
        manifest: Rows with `pixel_sha256`; augmented copies are ignored.
        near: Perceptual hashes that differ in at most this many of 256 bits count as the same
            image; None: only equal pixels do.

    Raises:
        OptionError: `near` is out of range.
        ManifestError: A row has no pixel hash or, with `near`, no perceptual hash.
    """
    table = manifest.table
    splits: npt.NDArray[np.object_] = np.empty(len(manifest), dtype=object)
    splits[:] = pc.coalesce(table.column("split"), table.column("official_split")).to_pylist()
    return report_duplicates(manifest, find_clusters(manifest, near), splits)


def drop_duplicates(
    manifest: Manifest, action: Action = "drop", *, near: int | None = None
) -> Manifest:
    """Report duplicates and drop those that would leak between splits.

    Args:
        manifest: Rows with pixel hashes, as `locate_faces` fills them in.
        action: `drop`: of an image in several splits only the copies in one split stay (test before
            validation before train). `keep`: everything stays, with a warning.
        near: As for `find_duplicates`.

    Returns:
        The manifest with the dropped rows among its rejects (stage `curate`), and the counts in
        its provenance under `"duplicates"`.

    Raises:
        UnknownNameError: There is no such action.
        OptionError: `near` is out of range.
        ManifestError: A row has no pixel hash or, with `near`, no perceptual hash.
    """
    require_action(action)
    report = find_duplicates(manifest, near=near)
    rows = len(manifest)
    if action == "drop":
        manifest, _ = reject_leaking(manifest, report)
    dropped = rows - len(manifest)
    log_duplicates(report, report.across_splits, action, dropped)
    summary = report.summary(action, report.across_splits, dropped)
    return manifest.with_provenance("duplicates", summary)


def require_action(action: str) -> None:
    """Check what is to be done with duplicates.

    Raises:
        UnknownNameError: It is neither `drop` nor `keep`.
    """
    if action not in get_args(Action):
        raise UnknownNameError("action for duplicates", action, get_args(Action))


def report_duplicates(
    manifest: Manifest, clusters: RowClusters, splits: npt.NDArray[np.object_]
) -> DuplicateReport:
    """Report the clusters with more than one source image.

    Args:
        manifest: Rows with `pixel_sha256`; augmented copies are ignored.
        clusters: The cluster of each row.
        splits: The split of each row, or None; object, shape (N,).

    Raises:
        ManifestError: A row has no pixel hash.
    """
    table = manifest.table.select(["parent_id", *_COLUMNS])
    source = pc.is_null(table.column("parent_id")).to_numpy()
    _require_pixel_hashes(manifest, source)
    rows = np.flatnonzero(source)
    counts = np.bincount(clusters.number[rows], minlength=1)
    rows = rows[counts[clusters.number[rows]] > 1]
    frame: pd.DataFrame = table.select(list(_COLUMNS)).take(rows).to_pandas()
    frame["number"], frame["bits"] = clusters.number[rows], clusters.bits[rows]
    frame["split"] = splits[rows]
    frame = frame.sort_values("sample_id", kind="stable").astype(object).where(frame.notna(), None)
    found = [_cluster(group) for _, group in frame.groupby("number", sort=False)]
    return DuplicateReport(tuple(sorted(found, key=lambda each: each.sample_ids)), clusters.near)


def reject_leaking(
    manifest: Manifest, report: DuplicateReport
) -> tuple[Manifest, npt.NDArray[np.bool_]]:
    """Reject the duplicates outside the split that keeps their image.

    Returns:
        The manifest without them, and which rows it keeps, shape (N,).
    """
    reasons: dict[str, str] = {}
    for cluster in report.across_splits:
        reasons.update(_reasons(cluster, report.near))
    names = manifest.strings("sample_id")
    rejects = [
        Reject(name, uri, "curate", reasons[name])
        for name, uri in zip(names, manifest.strings("uri"), strict=True)
        if name in reasons
    ]
    rejected = np.array([name in reasons for name in names], dtype=bool)
    return manifest.reject(rejected, rejects), ~rejected


def log_duplicates(
    report: DuplicateReport,
    across_splits: Sequence[DuplicateCluster],
    action: Action,
    dropped: int,
) -> None:
    """Log what was found and done; leaks and conflicting labels as warnings."""
    if across_splits:
        logger.warning(
            "%d images are in more than one split: %s. %s",
            len(across_splits),
            _examples(across_splits),
            f"{dropped} rows were dropped; the rejects give the reasons"
            if action == "drop"
            else "ALL ARE KEPT (--duplicates keep): leakage will inflate scores on this build",
        )
    across = {name for cluster in across_splits for name in cluster.sample_ids}
    within = [cluster for cluster in report.clusters if across.isdisjoint(cluster.sample_ids)]
    if within:
        logger.info(
            "%d images occur more than once in one split and are kept: %s",
            len(within),
            _examples(within),
        )
    if report.conflicting:
        logger.warning(
            "%d images have more than one label: %s",
            len(report.conflicting),
            _examples(report.conflicting),
        )


def _require_pixel_hashes(manifest: Manifest, source: npt.NDArray[np.bool_]) -> None:
    missing = pc.is_null(manifest.table.column("pixel_sha256")).to_numpy() & source
    if missing.any():
        name = manifest.table.column("sample_id")[int(np.flatnonzero(missing)[0])].as_py()
        raise ManifestError(
            f"{int(missing.sum())} rows have no pixel hash (for instance {name!r}); "
            "run ferdata.faces.locate.locate_faces before looking for duplicates"
        )


def _cluster(rows: pd.DataFrame) -> DuplicateCluster:
    bits = int(rows["bits"].iloc[0])
    return DuplicateCluster(
        sample_ids=tuple(rows["sample_id"]),
        datasets=tuple(rows["dataset"]),
        splits=tuple(rows["split"]),
        labels=tuple(rows["label"]),
        pixels=tuple(rows["pixel_sha256"]),
        hashes=tuple(rows["perceptual_hash"]),
        bits=None if bits < 0 else bits,
    )


def _reasons(cluster: DuplicateCluster, near: int | None) -> dict[str, str]:
    """Return why each row of a cluster is rejected; rows in the split that keeps it have none."""
    # test keeps an image before validation does, and validation before train
    keeper = max({name for name in cluster.splits if name}, key=SPLITS.index)
    kept = [row for row, part in enumerate(cluster.splits) if part == keeper]
    equal = {cluster.pixels[row]: row for row in reversed(kept)}
    reasons = {}
    for row, part in enumerate(cluster.splits):
        if part is None or part == keeper:
            continue
        if (twin := equal.get(cluster.pixels[row])) is not None:
            reason = f"same pixels: as {cluster.sample_ids[twin]} ({keeper})"
        else:
            twin, bits = _nearest(cluster, row, kept)
            reason = (
                f"near duplicate: of {cluster.sample_ids[twin]} ({keeper}), "
                f"{bits} of {BITS} bits differ"
            )
            if bits > (near or 0):
                reason += ", linked by others between them"
        here, there = cluster.labels[row], cluster.labels[twin]
        if here != there:
            reason += f"; labeled {here} here and {there} there"
        reasons[cluster.sample_ids[row]] = reason
    return reasons


def _nearest(cluster: DuplicateCluster, row: int, among: Sequence[int]) -> tuple[int, int]:
    """Return the nearest of some rows to a row, the first if several are, and the bits between."""
    words = decode_hashes([cluster.hashes[other] or "" for other in (row, *among)])
    bits = distances(words[1:], words[:1])
    best = int(bits.argmin())
    return among[best], int(bits[best])


def _examples(clusters: Sequence[DuplicateCluster]) -> str:
    named = "; ".join(str(cluster) for cluster in clusters[:_EXAMPLES])
    return f"{named}; …" if len(clusters) > _EXAMPLES else named
