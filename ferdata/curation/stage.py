"""The stage from labeled rows to leak-free splits, in one call."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import FixedRule, SplitRules
from ferdata.curation.assignment import needed_values
from ferdata.curation.clusters import RowClusters, find_clusters
from ferdata.curation.duplicates import (
    Action,
    DuplicateReport,
    log_duplicates,
    reject_leaking,
    report_duplicates,
    require_action,
)
from ferdata.curation.leakage import check_splits, declare_leak
from ferdata.curation.split import resolve_rules, split
from ferdata.curation.split_files.applying import apply_split_files
from ferdata.curation.split_files.published import digest_of


def curate(
    manifest: Manifest,
    rules: str | SplitRules,
    *,
    duplicates: Action = "drop",
    near: int | None = None,
    validation: float = 0.1,
    seed: int = 0,
    ignore_groups: bool = False,
) -> Manifest:
    """Split a manifest so that no image and no subject is in two splits.

    Duplicates between splits that come with the data are dropped first, so that validation is held
    out of the train images that stay. Then every dataset is split by its rule, and images that two
    rules put into two splits are dropped the same way. Duplicate clusters are found once, before
    anything is dropped: rows stay linked even if the row that linked them is dropped.

    Args:
        manifest: Source images with pixel hashes, as `locate_faces` fills them in.
        rules: Split rules, see `ferdata.curation.split.resolve_rules`.
        duplicates: What to do with them, see `ferdata.curation.duplicates.drop_duplicates`.
        near: Perceptual hashes that differ in at most this many of 256 bits count as the same
            image; None: only equal pixels do.
        validation: As for `ferdata.curation.split.split`, as are the next two.
        seed: Seed of the draws.
        ignore_groups: Draw rows of `stratified` rules individually; this leaks.

    Returns:
        The rows in their order, each in a split; dropped rows are among the rejects (stage
        `curate`). Provenance under `"split"`, with the split's digest; under `"duplicates"`, as
        counted before any row was dropped; and under `"leak"` with `ignore_groups`.

    Raises:
        UnknownNameError: There is no such rule or action.
        OptionError: An option is out of range or does not fit the data.
        ManifestError: A row lacks what its rule or the search for duplicates needs, or a subject is
            in two official splits of a dataset.
    """
    require_action(duplicates)
    manifest, rules = apply_split_files(manifest, resolve_rules(manifest, rules))
    clusters = find_clusters(manifest, near)
    before = report_duplicates(manifest, clusters, _given_splits(manifest, rules))
    kept, clusters = _drop(manifest, clusters, before, duplicates)
    done = split(kept, rules, validation=validation, seed=seed, clusters=clusters,
                 ignore_groups=ignore_groups)  # fmt: skip
    after = report_duplicates(done, clusters, done.strings("split"))
    done, _ = _drop(done, clusters, after, duplicates)
    said = {**done.provenance["split"], "counts": done.counts(), "digest": digest_of(done)}
    done = done.with_provenance("split", said)
    known = {name for cluster in before.across_splits for name in cluster.sample_ids}
    new = [each for each in after.across_splits if known.isdisjoint(each.sample_ids)]
    leaking = [*before.across_splits, *new]
    dropped = len(manifest) - len(done)
    log_duplicates(before, leaking, duplicates, dropped)
    done = done.with_provenance("duplicates", before.summary(duplicates, leaking, dropped))
    if ignore_groups:
        done = declare_leak(done, rules)
    check_splits(done)
    return done


def _given_splits(manifest: Manifest, rules: SplitRules) -> npt.NDArray[np.object_]:
    """Return the split of each row that comes with one, None for all others; shape (N,)."""
    datasets = manifest.strings("dataset")
    splits = np.full(len(manifest), None, dtype=object)
    for dataset in sorted(set(datasets)):
        rule, rows = rules.of(dataset), np.flatnonzero(datasets == dataset)
        if isinstance(rule, FixedRule) and rule.is_given:
            values = needed_values(manifest, rows, dataset, rule)
            splits[rows] = rule.assign(dataset, *values)
    return splits


def _drop(
    manifest: Manifest, clusters: RowClusters, report: DuplicateReport, action: Action
) -> tuple[Manifest, RowClusters]:
    """Drop the duplicates that leak if that is asked for; return the rows that stay."""
    if action == "keep":
        return manifest, clusters
    manifest, kept = reject_leaking(manifest, report)
    return manifest, clusters.filter(kept)
