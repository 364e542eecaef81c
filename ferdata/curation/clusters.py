"""What is known of duplicates: clusters of rows that show one picture, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

Action = Literal["drop", "keep"]
"""What may be done with duplicates, see `ferdata.curation.duplicates.drop_duplicates`."""

_SHOWN = 6  # rows of a cluster that a message names


@dataclass(frozen=True)
class DuplicateCluster:
    """Rows that show one picture, ordered by `sample_id`.

    Attributes:
        sample_ids: The rows.
        datasets: The dataset of each row.
        splits: The split of each row; None where it has none.
        labels: The label of each row.
        pixels: The pixel hash of each row.
        hashes: The perceptual hash of each row; None where it has none.
        apart: The largest distance, in bits of 256, of two linked rows; None where all rows have
            equal pixels.
    """

    sample_ids: tuple[str, ...]
    datasets: tuple[str, ...]
    splits: tuple[str | None, ...]
    labels: tuple[str, ...]
    pixels: tuple[str, ...]
    hashes: tuple[str | None, ...]
    apart: int | None

    @property
    def is_near(self) -> bool:
        """Whether the picture has copies with other pixels."""
        return self.apart is not None

    @property
    def crosses_splits(self) -> bool:
        """Whether the picture is in more than one split."""
        return len({name for name in self.splits if name is not None}) > 1

    @property
    def crosses_datasets(self) -> bool:
        """Whether the picture is in more than one dataset."""
        return len(set(self.datasets)) > 1

    @property
    def labels_conflict(self) -> bool:
        """Whether the picture has more than one label."""
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
    """What `find_duplicates` found.

    Attributes:
        clusters: Every set of rows that show one picture, ordered by their first `sample_id`.
        near: The threshold in bits; None where only equal pixels count.
    """

    clusters: tuple[DuplicateCluster, ...]
    near: int | None = None

    @property
    def across_splits(self) -> tuple[DuplicateCluster, ...]:
        """Clusters in more than one split: leakage."""
        return tuple(cluster for cluster in self.clusters if cluster.crosses_splits)

    @property
    def within_splits(self) -> tuple[DuplicateCluster, ...]:
        """Clusters inside one split."""
        return tuple(cluster for cluster in self.clusters if not cluster.crosses_splits)

    @property
    def across_datasets(self) -> tuple[DuplicateCluster, ...]:
        """Clusters in more than one dataset."""
        return tuple(cluster for cluster in self.clusters if cluster.crosses_datasets)

    @property
    def conflicting(self) -> tuple[DuplicateCluster, ...]:
        """Clusters whose rows disagree about the label."""
        return tuple(cluster for cluster in self.clusters if cluster.labels_conflict)

    @property
    def near_clusters(self) -> tuple[DuplicateCluster, ...]:
        """Clusters whose rows do not all have equal pixels."""
        return tuple(cluster for cluster in self.clusters if cluster.is_near)

    def facts(
        self, action: Action, across_splits: Sequence[DuplicateCluster], dropped: int
    ) -> dict[str, Any]:
        """Return what the provenance says.

        Args:
            action: What was done.
            across_splits: The clusters that crossed splits.
            dropped: Rows left behind.
        """
        return {
            "action": action,
            "clusters": len(self.clusters),
            "clusters_across_splits": len(across_splits),
            "clusters_across_datasets": len(self.across_datasets),
            "clusters_with_conflicting_labels": len(self.conflicting),
            "near_clusters": len(self.near_clusters),
            "near_threshold": self.near,
            "dropped": dropped,
        }
