"""Exact duplicates: the same decoded pixels under two names.

A picture in train and in test lets a model score by memory. Such train copies are left behind by
default, each with a reject row that names its twin. Duplicates inside one split do no harm to an
evaluation; they stay and are reported, and so are twins whose labels contradict each other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from ferdata.errors import ManifestError, UnknownNameError
from ferdata.manifest import Manifest, Reject
from ferdata.schema import SPLITS

logger = logging.getLogger(__name__)

Action = Literal["drop", "keep"]

_PRECEDENCE = {name: position for position, name in enumerate(SPLITS)}
"""Of a picture in two splits the copy further right stays: train < validation < test."""

_EXAMPLES = 3  # names given in a message; the report has them all


@dataclass(frozen=True)
class DuplicateCluster:
    """Rows with equal pixels, ordered by `sample_id`.

    Attributes:
        pixel_sha256: The hash they share.
        sample_ids: The rows.
        splits: The split of each row; None where it has none.
        labels: The label of each row.
    """

    pixel_sha256: str
    sample_ids: tuple[str, ...]
    splits: tuple[str | None, ...]
    labels: tuple[str, ...]

    @property
    def crosses_splits(self) -> bool:
        """Whether the picture is in more than one split."""
        return len({name for name in self.splits if name is not None}) > 1

    @property
    def labels_conflict(self) -> bool:
        """Whether the picture has more than one label."""
        return len(set(self.labels)) > 1

    def __str__(self) -> str:
        rows = zip(self.sample_ids, self.splits, self.labels, strict=True)
        return " = ".join(f"{name} ({part or 'no split'}, {label})" for name, part, label in rows)


@dataclass(frozen=True)
class DuplicateReport:
    """What `find_duplicates` found.

    Attributes:
        clusters: Every set of rows with equal pixels, ordered by their first `sample_id`.
    """

    clusters: tuple[DuplicateCluster, ...]

    @property
    def across_splits(self) -> tuple[DuplicateCluster, ...]:
        """Clusters in more than one split: leakage."""
        return tuple(cluster for cluster in self.clusters if cluster.crosses_splits)

    @property
    def within_splits(self) -> tuple[DuplicateCluster, ...]:
        """Clusters inside one split."""
        return tuple(cluster for cluster in self.clusters if not cluster.crosses_splits)

    @property
    def conflicting(self) -> tuple[DuplicateCluster, ...]:
        """Clusters whose rows disagree about the label."""
        return tuple(cluster for cluster in self.clusters if cluster.labels_conflict)


def find_duplicates(manifest: Manifest) -> DuplicateReport:
    """Find source images with equal pixels.

    The split of a row is `split` where that is filled, `official_split` before.

    Args:
        manifest: Rows with `pixel_sha256`; augmented copies are passed over.

    Raises:
        ManifestError: A row has no pixel hash.
    """
    clusters = [
        DuplicateCluster(
            str(digest),
            tuple(rows["sample_id"]),
            tuple(rows["part"]),
            tuple(rows["label"]),
        )
        for digest, rows in _duplicated(manifest).groupby("pixel_sha256")
    ]
    return DuplicateReport(tuple(sorted(clusters, key=lambda cluster: cluster.sample_ids)))


def drop_duplicates(manifest: Manifest, action: Action = "drop") -> Manifest:
    """Report exact duplicates and leave behind those that would leak between splits.

    Args:
        manifest: Rows with pixel hashes, as `locate_faces` fills them in.
        action: `drop`: of a picture in several splits only the copies of one split stay (test
            before validation before train). `keep`: everything stays, with a warning.

    Returns:
        The manifest with the dropped rows among its rejects (stage `curate`) and the counts in
        its provenance under `"duplicates"`.

    Raises:
        UnknownNameError: The action is not one of the two.
        ManifestError: A row has no pixel hash.
    """
    if action not in get_args(Action):
        raise UnknownNameError("action for duplicates", action, get_args(Action))
    report = find_duplicates(manifest)
    rejects = _rejects(manifest, report.across_splits) if action == "drop" else []
    _log(report, action, len(rejects))
    facts = {
        "action": action,
        "clusters": len(report.clusters),
        "clusters_across_splits": len(report.across_splits),
        "clusters_with_conflicting_labels": len(report.conflicting),
        "dropped": len(rejects),
    }
    gone = {reject.sample_id for reject in rejects}
    mask = np.isin(manifest.strings("sample_id").astype(str), sorted(gone))
    return manifest.reject(mask, rejects).with_provenance("duplicates", facts)


def _duplicated(manifest: Manifest) -> pd.DataFrame:
    """Return the rows whose pixels occur more than once, ordered by `sample_id`.

    Columns: sample_id, label, pixel_sha256, part (the split that counts).
    """
    table = manifest.table
    table = table.filter(pc.is_null(table.column("parent_id")))
    hashes = table.column("pixel_sha256")
    if hashes.null_count:
        name = table.filter(pc.is_null(hashes)).column("sample_id")[0].as_py()
        raise ManifestError(
            f"{hashes.null_count} rows have no pixel hash (for instance {name!r}); "
            "run ferdata.faces.locate.locate_faces before looking for duplicates"
        )
    frame: pd.DataFrame = table.select(["sample_id", "label", "pixel_sha256"]).to_pandas()
    part = pc.coalesce(table.column("split"), table.column("official_split"))
    frame["part"] = np.array(part.to_pylist(), dtype=object)
    twins = frame[frame["pixel_sha256"].duplicated(keep=False)]
    return twins.sort_values("sample_id", kind="stable")


def _rejects(manifest: Manifest, clusters: Iterable[DuplicateCluster]) -> list[Reject]:
    """Return a reject for each row of a cluster outside the split that keeps the picture."""
    reasons: dict[str, str] = {}
    for cluster in clusters:
        keeper = max(
            {name for name in cluster.splits if name is not None}, key=_PRECEDENCE.__getitem__
        )
        first = cluster.splits.index(keeper)
        for name, part, label in zip(
            cluster.sample_ids, cluster.splits, cluster.labels, strict=True
        ):
            if part is None or part == keeper:
                continue
            reasons[name] = f"same pixels as {cluster.sample_ids[first]} ({keeper})"
            if label != cluster.labels[first]:
                reasons[name] += f"; labelled {label} here and {cluster.labels[first]} there"
    rows = zip(manifest.strings("sample_id"), manifest.strings("uri"), strict=True)
    return [Reject(name, uri, "curate", reasons[name]) for name, uri in rows if name in reasons]


def _log(report: DuplicateReport, action: Action, dropped: int) -> None:
    if report.across_splits:
        logger.warning(
            "%d pictures are in more than one split: %s. %s",
            len(report.across_splits),
            _examples(report.across_splits),
            f"{dropped} rows left behind; the reasons are among the rejects"
            if action == "drop"
            else "ALL ARE KEPT (--duplicates keep): scores on this build are inflated by leakage",
        )
    if report.within_splits:
        logger.info(
            "%d pictures occur more than once inside one split and stay: %s",
            len(report.within_splits),
            _examples(report.within_splits),
        )
    if report.conflicting:
        logger.warning(
            "%d pictures have more than one label: %s",
            len(report.conflicting),
            _examples(report.conflicting),
        )


def _examples(clusters: tuple[DuplicateCluster, ...]) -> str:
    named = "; ".join(str(cluster) for cluster in clusters[:_EXAMPLES])
    return f"{named}; …" if len(clusters) > _EXAMPLES else named
