"""Duplicates: one picture under several names, equal to the pixel or nearly so.

A picture in train and in test lets a model score by memory. Such train copies are left behind by
default, each with a reject row that names its twin. Duplicates inside one split do no harm to an
evaluation; they stay and are reported, and so are twins whose labels contradict each other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError, UnknownNameError
from ferdata.core.manifest import Manifest, Reject
from ferdata.core.perceptual import BITS, decode_hashes, distances
from ferdata.core.schema import SPLITS
from ferdata.curation.clusters import Action, DuplicateCluster, DuplicateReport
from ferdata.curation.same_image import Pictures, find_pictures

logger = logging.getLogger(__name__)

_PRECEDENCE = {name: position for position, name in enumerate(SPLITS)}
"""Of a picture in two splits the copy further right stays: train < validation < test."""

_EXAMPLES = 3  # names given in a message; the report has them all

_COLUMNS = ("sample_id", "dataset", "label", "pixel_sha256", "perceptual_hash")


def find_duplicates(manifest: Manifest, *, near: int | None = None) -> DuplicateReport:
    """Find source images that show one picture.

    The split of a row is `split` where that is filled, `official_split` before.

    Args:
        manifest: Rows with `pixel_sha256`; augmented copies are passed over.
        near: Rows whose perceptual hashes differ in at most this many of 256 bits show the same
            picture; None: only rows with equal pixels do.

    Raises:
        OptionError: `near` is out of range.
        ManifestError: A row has no pixel hash, or with `near` no perceptual hash.
    """
    return report_duplicates(manifest, find_pictures(manifest, near), given_splits(manifest))


def drop_duplicates(
    manifest: Manifest, action: Action = "drop", *, near: int | None = None
) -> Manifest:
    """Report duplicates and leave behind those that would leak between splits.

    Args:
        manifest: Rows with pixel hashes, as `locate_faces` fills them in.
        action: `drop`: of a picture in several splits only the copies of one split stay (test
            before validation before train). `keep`: everything stays, with a warning.
        near: As for `find_duplicates`.

    Returns:
        The manifest with the dropped rows among its rejects (stage `curate`) and the counts in
        its provenance under `"duplicates"`.

    Raises:
        UnknownNameError: The action is not one of the two.
        OptionError: `near` is out of range.
        ManifestError: A row has no pixel hash, or with `near` no perceptual hash.
    """
    require_action(action)
    report = find_duplicates(manifest, near=near)
    rejects = rejects_of(manifest, report) if action == "drop" else []
    log_duplicates(report, report.across_splits, action, len(rejects))
    facts = report.facts(action, report.across_splits, len(rejects))
    mask = rejected_rows(manifest, rejects)
    return manifest.reject(mask, rejects).with_provenance("duplicates", facts)


def require_action(action: str) -> None:
    """Check what is to be done with duplicates.

    Raises:
        UnknownNameError: It is neither `drop` nor `keep`.
    """
    if action not in get_args(Action):
        raise UnknownNameError("action for duplicates", action, get_args(Action))


def given_splits(manifest: Manifest) -> npt.NDArray[np.object_]:
    """Return each row's `split` where that is filled, else its official split or None; (N,)."""
    table = manifest.table
    parts: npt.NDArray[np.object_] = np.empty(len(manifest), dtype=object)
    parts[:] = pc.coalesce(table.column("split"), table.column("official_split")).to_pylist()
    return parts


def report_duplicates(
    manifest: Manifest, pictures: Pictures, parts: npt.NDArray[np.object_]
) -> DuplicateReport:
    """Report pictures with more than one source image.

    Args:
        manifest: Rows with `pixel_sha256`; augmented copies are passed over.
        pictures: The picture of each row.
        parts: The split of each row that counts, None for none; object, shape (N,).

    Raises:
        ManifestError: A row has no pixel hash.
    """
    table = manifest.table.select(["parent_id", *_COLUMNS])
    source = pc.is_null(table.column("parent_id")).to_numpy()
    _require_pixel_hashes(manifest, source)
    rows = np.flatnonzero(source)
    counts = np.bincount(pictures.number[rows], minlength=1)
    rows = rows[counts[pictures.number[rows]] > 1]
    frame: pd.DataFrame = table.select(list(_COLUMNS)).take(rows).to_pandas()
    frame["number"], frame["apart"] = pictures.number[rows], pictures.apart[rows]
    frame["part"] = parts[rows]
    frame = frame.sort_values("sample_id", kind="stable").astype(object).where(frame.notna(), None)
    clusters = [_cluster(twins) for _, twins in frame.groupby("number", sort=False)]
    ordered = sorted(clusters, key=lambda cluster: cluster.sample_ids)
    return DuplicateReport(tuple(ordered), pictures.near)


def rejects_of(manifest: Manifest, report: DuplicateReport) -> list[Reject]:
    """Return a reject for each row outside the split that keeps its picture, in order of rows."""
    reasons: dict[str, str] = {}
    for cluster in report.across_splits:
        reasons.update(_reasons(cluster, report.near))
    rows = zip(manifest.strings("sample_id"), manifest.strings("uri"), strict=True)
    return [Reject(name, uri, "curate", reasons[name]) for name, uri in rows if name in reasons]


def rejected_rows(manifest: Manifest, rejects: Iterable[Reject]) -> npt.NDArray[np.bool_]:
    """Return the mask of the rows that are among some rejects, shape (N,)."""
    gone = sorted({reject.sample_id for reject in rejects})
    return np.isin(manifest.strings("sample_id").astype(str), gone)


def log_duplicates(
    report: DuplicateReport,
    across_splits: Sequence[DuplicateCluster],
    action: Action,
    dropped: int,
) -> None:
    """Say what was found and done; leaks and contradicting labels as warnings."""
    if across_splits:
        logger.warning(
            "%d pictures are in more than one split: %s. %s",
            len(across_splits),
            _examples(across_splits),
            f"{dropped} rows left behind; the reasons are among the rejects"
            if action == "drop"
            else "ALL ARE KEPT (--duplicates keep): scores on this build are inflated by leakage",
        )
    across = {name for cluster in across_splits for name in cluster.sample_ids}
    within = [cluster for cluster in report.clusters if across.isdisjoint(cluster.sample_ids)]
    if within:
        logger.info(
            "%d pictures occur more than once inside one split and stay: %s",
            len(within),
            _examples(within),
        )
    if report.conflicting:
        logger.warning(
            "%d pictures have more than one label: %s",
            len(report.conflicting),
            _examples(report.conflicting),
        )


def _require_pixel_hashes(manifest: Manifest, source: npt.NDArray[np.bool_]) -> None:
    lost = pc.is_null(manifest.table.column("pixel_sha256")).to_numpy() & source
    if lost.any():
        name = manifest.table.column("sample_id")[int(np.flatnonzero(lost)[0])].as_py()
        raise ManifestError(
            f"{int(lost.sum())} rows have no pixel hash (for instance {name!r}); "
            "run ferdata.faces.locate.locate_faces before looking for duplicates"
        )


def _cluster(twins: pd.DataFrame) -> DuplicateCluster:
    apart = int(twins["apart"].iloc[0])
    return DuplicateCluster(
        sample_ids=tuple(twins["sample_id"]),
        datasets=tuple(twins["dataset"]),
        splits=tuple(twins["part"]),
        labels=tuple(twins["label"]),
        pixels=tuple(twins["pixel_sha256"]),
        hashes=tuple(twins["perceptual_hash"]),
        apart=None if apart < 0 else apart,
    )


def _reasons(cluster: DuplicateCluster, near: int | None) -> dict[str, str]:
    """Say of each row of a cluster why it goes; of rows in the split that keeps it, nothing."""
    keeper = max({name for name in cluster.splits if name}, key=_PRECEDENCE.__getitem__)
    kept = [row for row, part in enumerate(cluster.splits) if part == keeper]
    twins = {cluster.pixels[row]: row for row in reversed(kept)}
    reasons = {}
    for row, part in enumerate(cluster.splits):
        if part is None or part == keeper:
            continue
        if (twin := twins.get(cluster.pixels[row])) is not None:
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
    """Return which of some rows is nearest to a row, the first where several are, and how near."""
    words = decode_hashes([cluster.hashes[other] or "" for other in (row, *among)])
    bits = distances(words[1:], words[:1])
    best = int(bits.argmin())
    return among[best], int(bits[best])


def _examples(clusters: Sequence[DuplicateCluster]) -> str:
    named = "; ".join(str(cluster) for cluster in clusters[:_EXAMPLES])
    return f"{named}; …" if len(clusters) > _EXAMPLES else named
