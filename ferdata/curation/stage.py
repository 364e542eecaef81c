"""From labeled rows to sound splits, in one call."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import OfficialRule, SplitRules
from ferdata.curation.clusters import Action, DuplicateCluster, DuplicateReport
from ferdata.curation.duplicates import (
    log_duplicates,
    rejected_rows,
    rejects_of,
    report_duplicates,
    require_action,
)
from ferdata.curation.leaks import declare_leak
from ferdata.curation.same_image import Pictures, find_pictures
from ferdata.curation.split import resolve_rules, split
from ferdata.curation.validate import check_splits


def curate(
    manifest: Manifest,
    rules: str | SplitRules,
    *,
    duplicates: Action = "drop",
    near: int | None = None,
    validation: float = 0.1,
    seed: int = 0,
    one_by_one: bool = False,
) -> Manifest:
    """Split a manifest such that no picture and no person is in two splits.

    Authors' splits that share a picture are mended first, so that what is carved out of train is
    carved out of what stays there. Then every dataset is split by its rule; last, pictures that
    two rules have put into two splits are mended the same way. What shows one picture is found out
    once, before anything is dropped: rows that were linked stay so when one between them goes.

    Args:
        manifest: Source images with pixel hashes, as `locate_faces` fills them in.
        rules: Split rules, see `ferdata.curation.split.resolve_rules`.
        duplicates: `drop`: of a picture in several splits only the copies of one split stay (test
            before validation before train). `keep`: everything stays, with a warning.
        near: Rows whose perceptual hashes differ in at most this many of 256 bits show the same
            picture; None: only rows with equal pixels do.
        validation: As for `ferdata.curation.split.split`.
        seed: Draws other rows into the parts.
        one_by_one: As for `ferdata.curation.split.split`: takes people and sequences apart, on
            purpose.

    Returns:
        The rows in their order, each in a split, those that would leak among the rejects (stage
        `curate`). Provenance under `"split"` and `"duplicates"`, where pictures are counted as they
        were before any was dropped; with `one_by_one` also under `"leak"`.

    Raises:
        UnknownNameError: There is no such rule or action.
        OptionError: An option is out of range or contradicts the data.
        ManifestError: The manifest lacks what a rule or the search for duplicates needs, or a
            person is in two splits of a dataset's authors.
    """
    require_action(duplicates)
    rules = resolve_rules(manifest, rules)
    pictures = find_pictures(manifest, near)
    found = report_duplicates(manifest, pictures, _authors_splits(manifest, rules))
    mended, pictures, _ = _mend(manifest, pictures, found, duplicates)
    done = split(
        mended,
        rules,
        validation=validation,
        seed=seed,
        pictures=pictures,
        one_by_one=one_by_one,
    )
    after = report_duplicates(done, pictures, done.strings("split"))
    done, _, dropped = _mend(done, pictures, after, duplicates)
    if dropped:
        done = done.with_provenance("split", {**done.provenance["split"], "counts": done.counts()})
    leaking = _leaking(found, after)
    lost = len(manifest) - len(done)
    log_duplicates(found, leaking, duplicates, lost)
    done = done.with_provenance("duplicates", found.facts(duplicates, leaking, lost))
    if one_by_one:
        done = declare_leak(done, rules)
    check_splits(done)
    return done


def _authors_splits(manifest: Manifest, rules: SplitRules) -> npt.NDArray[np.object_]:
    """Return the official split of each row that keeps it, None for all others; shape (N,)."""
    parts = manifest.strings("official_split")
    official = {
        dataset: isinstance(rules.of(dataset), OfficialRule)
        for dataset in set(manifest.strings("dataset"))
    }
    drawn = [not official[dataset] for dataset in manifest.strings("dataset")]
    parts[np.array(drawn, dtype=bool)] = None
    return parts


def _mend(
    manifest: Manifest, pictures: Pictures, report: DuplicateReport, action: Action
) -> tuple[Manifest, Pictures, int]:
    """Leave behind what leaks, if that is asked for; also return how many rows that was."""
    if action == "keep":
        return manifest, pictures, 0
    rejects = rejects_of(manifest, report)
    gone = rejected_rows(manifest, rejects)
    return manifest.reject(gone, rejects), pictures.keep(~gone), len(rejects)


def _leaking(found: DuplicateReport, after: DuplicateReport) -> list[DuplicateCluster]:
    """Return the pictures in two official splits, and those that splitting put into two."""
    known = {name for cluster in found.across_splits for name in cluster.sample_ids}
    late = [each for each in after.across_splits if known.isdisjoint(each.sample_ids)]
    return [*found.across_splits, *late]
