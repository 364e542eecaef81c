"""Splitting: which rows are train, validation and test.

Each dataset has its own rule, see `ferdata.core.split_rules`. All rules keep groups together (same
subject, sequence or image, see `ferdata.curation.groups`), draw by a hash of the group's name, so
that the order of rows doesn't matter, and give each class its fraction as exactly as groups allow.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.given_splits import split_of_word
from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import (
    AutoRule,
    FileRule,
    NativeRule,
    OfficialRule,
    SplitRule,
    SplitRules,
    parse_rule,
    parse_rules,
)
from ferdata.curation.assignment import SplitAssignment
from ferdata.curation.clusters import RowClusters
from ferdata.curation.groups import find_groups
from ferdata.curation.split_files.applying import apply_split_files
from ferdata.curation.split_files.reading import read_split

logger = logging.getLogger(__name__)

_BY_SUBJECT = parse_rule("subject:8:1:1")
_BY_CLASS = parse_rule("stratified:8:1:1")


def resolve_rules(manifest: Manifest, rules: str | SplitRule | SplitRules) -> SplitRules:
    """Resolve split rules for the datasets of a manifest.

    For each dataset, `auto` becomes `official` if every row has an official split, and train is one
    of several; else `native` if the same holds for the copy's own split; else `subject:8:1:1` if
    every row has a subject; else `stratified:8:1:1`, with a warning that the split is not
    subject-independent.

    Args:
        manifest: Rows of every dataset that the rules are for.
        rules: A rule or rules, or their text; see `ferdata.core.split_rules.parse_rules`.

    Returns:
        Rules without `auto` for the datasets of the manifest; a common one if all are equal.

    Raises:
        UnknownNameError: There is no such rule, or no rule for a dataset.
        OptionError: A rule's arguments are wrong, or a text names other datasets.
    """
    datasets = sorted(pc.unique(manifest.table.column("dataset")).to_pylist())
    if isinstance(rules, str):
        rules = parse_rules(rules)
        rules.require_datasets(datasets)
    elif not isinstance(rules, SplitRules):
        rules = SplitRules(common=rules)
    if not datasets:
        return rules
    chosen = {dataset: rules.of(dataset) for dataset in datasets}
    for dataset, rule in chosen.items():
        if isinstance(rule, AutoRule):
            chosen[dataset] = _suitable_rule(manifest, dataset)
        elif isinstance(rule, FileRule):
            read_split(rule.path)  # its errors come before any image is read
    return SplitRules.from_mapping(chosen)


def split(
    manifest: Manifest,
    rules: str | SplitRule | SplitRules = "official",
    *,
    validation: float = 0.1,
    seed: int = 0,
    near: int | None = None,
    clusters: RowClusters | None = None,
    ignore_groups: bool = False,
) -> Manifest:
    """Fill the column `split`.

    Rows that are drawn follow the rows of their group whose split is fixed.

    Args:
        manifest: Source images; augmented copies only with `ignore_groups` and `stratified` rules.
        rules: A rule, rules by dataset, or their text; see `resolve_rules`.
        validation: For `official` and `subject-kfold`: the fraction of train to hold out as
            validation in datasets that have none; 0 holds out nothing.
        seed: Seed of the draws.
        near: Perceptual hashes that differ in at most this many of 256 bits count as the same
            image; None: only equal pixels do.
        clusters: The duplicate clusters of the rows if known already; `near` is then ignored.
        ignore_groups: Draw the rows of `stratified` rules individually. This leaks and inflates
            scores; it is here to reproduce papers that did so.

    Returns:
        The rows in the same order, each in a split, without those that a split file doesn't name;
        provenance under `"split"`.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: `validation` is out of range, or a rule does not fit its dataset.
        ManifestError: There are augmented copies, or a row lacks what its rule or `near` needs.
    """
    if not 0 <= validation < 1:
        raise OptionError(f"validation is a fraction of train, 0 ≤ x < 1; got {validation}")
    manifest, rules = apply_split_files(manifest, resolve_rules(manifest, rules))
    work = SplitAssignment(manifest, rules, Fraction(str(validation)), seed)
    individual = work.stratified_rows() if ignore_groups else np.zeros(len(manifest), dtype=bool)
    if manifest.table.column("parent_id").null_count != len(manifest) and not individual.all():
        raise ManifestError(
            "the manifest has augmented copies, and copies of one image would end up in train and "
            "test; split before augmenting"
        )
    work.apply_fixed_rules()
    work.draw(_group_names(manifest, individual, near, clusters))
    done = manifest.with_column("split", work.splits.tolist())
    counts = done.counts()
    _warn_of_empty_classes(counts)
    provenance = {
        "rule": rules.text,
        "rules": {dataset: rule.text for dataset, rule in work.rules.items()},
        "validation": validation,
        "seed": seed,
        "counts": counts,
    }
    return done.with_provenance("split", {**provenance, **work.provenance})


def _suitable_rule(manifest: Manifest, dataset: str) -> SplitRule:
    """Return the rule that `auto` stands for."""
    table = manifest.table.filter(pc.equal(manifest.table.column("dataset"), dataset))
    parts = set(pc.unique(table.column("official_split")).to_pylist())
    if None not in parts and "train" in parts and len(parts) > 1:
        return OfficialRule()
    if _has_native_split(table):
        if not (torn := _torn_subjects(table)):
            logger.warning(
                "%s has no official split: the one of this copy is kept (--split native), which is "
                "not its authors'",
                dataset,
            )
            return NativeRule()
        logger.warning(
            "%s: the split of this copy puts %d subjects into several parts, so it is not kept",
            dataset,
            torn,
        )
    if not table.column("subject").null_count:
        return _BY_SUBJECT
    logger.warning(
        "%s has no official split, and some of its rows have no subject: it is split by class only "
        "(%s), and the split is not subject-independent",
        dataset,
        _BY_CLASS.text,
    )
    return _BY_CLASS


def _has_native_split(table: pa.Table) -> bool:
    """Say whether a copy brings a split of its own that one can train and test on."""
    words = pc.unique(table.column("split_native")).to_pylist()
    parts = {split_of_word(word or "") for word in words}
    return None not in parts and "train" in parts and len(parts) > 1


def _torn_subjects(table: pa.Table) -> int:
    """Return the number of subjects that a copy's own split puts into several parts."""
    known = table.select(["subject", "split_native"]).drop_null()
    parts = known.group_by("subject").aggregate([("split_native", "count_distinct")])
    several = pc.greater(parts.column("split_native_count_distinct"), 1)
    return int(pc.sum(several).as_py() or 0)


def _group_names(
    manifest: Manifest,
    individual: npt.NDArray[np.bool_],
    near: int | None,
    clusters: RowClusters | None,
) -> npt.NDArray[np.object_]:
    """Return the group of each row; a row to be drawn individually is a group of its own."""
    if not individual.any():
        return find_groups(manifest, near=near, clusters=clusters)
    names = manifest.strings("sample_id")
    rest = np.flatnonzero(~individual)
    if rest.size:
        kept = None if clusters is None else clusters.filter(~individual)
        names[rest] = find_groups(manifest.take(rest), near=near, clusters=kept)
    return names


def _warn_of_empty_classes(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Warn of classes that a split lacks although the manifest has them."""
    for part, by_label in counts.items():
        absent = [
            label
            for label, rows in by_label.items()
            if not rows and any(other[label] for other in counts.values())
        ]
        if absent and any(by_label.values()):
            logger.warning("%s has no images of %s", part, ", ".join(absent))
