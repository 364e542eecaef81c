"""Splitting: who is in train, validation and test.

`official` keeps the split of a dataset's authors and carves validation out of train where they
have none; `stratified` and `subject` make a split of their own; `subject-kfold` tests on one fold
of the people. Each dataset goes by its own rule. All keep groups together (same subject, sequence
or picture; see `ferdata.curation.groups`), draw by a hash of the group's name, so that the order of
rows is of no importance, and give each class its share as exactly as groups allow.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import (
    AutoRule,
    OfficialRule,
    SplitRule,
    SplitRules,
    parse_rule,
    parse_rules,
)
from ferdata.curation.drawing import Drawing, group_names
from ferdata.curation.same_image import Pictures

logger = logging.getLogger(__name__)

_BY_SUBJECT = parse_rule("subject:8:1:1")
_BY_CLASS = parse_rule("stratified:8:1:1")


def resolve_rules(manifest: Manifest, rules: str | SplitRule | SplitRules) -> SplitRules:
    """Settle split rules for the datasets of a manifest.

    `auto` becomes, dataset by dataset: `official` where every row has an official split, and there
    are train and one other among them; else `subject:8:1:1` where every row has a subject; else
    `stratified:8:1:1`, with a warning that people can't be held apart.

    Args:
        manifest: Rows of every dataset that the rules are for.
        rules: A rule or rules, or their text form; see `ferdata.core.split_rules.parse_rules`.

    Returns:
        Rules without `auto` for the datasets that are there; a common one where all come out alike.

    Raises:
        UnknownNameError: There is no such rule, or none for a dataset.
        OptionError: A rule makes no sense, or a text names other datasets than there are.
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
    return SplitRules.from_mapping(chosen)


def split(
    manifest: Manifest,
    rules: str | SplitRule | SplitRules = "official",
    *,
    validation: float = 0.1,
    seed: int = 0,
    near: int | None = None,
    pictures: Pictures | None = None,
    one_by_one: bool = False,
) -> Manifest:
    """Fill the column `split`.

    Rows of a free rule that share a group with rows whose split is given (an official one, or a
    fold) go where those are, so that no rule tears apart what it has a say in.

    Args:
        manifest: Source images only: splitting comes before augmentation. With `one_by_one`, and
            where every rule is a `stratified` one, augmented copies may be there as well.
        rules: A rule, rules by dataset, or their text form; see `resolve_rules`.
        validation: For `official` and `subject-kfold`: the part of train that becomes validation
            in each dataset that ships none; 0 carves nothing. A validation split that is there
            stays.
        seed: Draws other rows into the parts.
        near: Keep rows whose perceptual hashes differ in at most this many of 256 bits together,
            too; None: only those with equal pixels.
        pictures: The picture of each row, where that is known already; `near` then counts not.
        one_by_one: Draw the rows of `stratified` rules one by one and take groups apart. This
            leaks, and says more of memory than of faces; papers have done it.

    Returns:
        The same rows in the same order, each in a split; provenance under `"split"`.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: `validation` is not in 0 ≤ validation < 1, or a rule makes no sense, or a
            dataset has fewer subjects than folds, or there is no `stratified` rule whose rows
            could be drawn one by one.
        ManifestError: The manifest has augmented copies, rows without the official split or the
            subject that their rule needs, or with `near` without a perceptual hash.
    """
    if not 0 <= validation < 1:
        raise OptionError(f"validation is a part of train, 0 ≤ part < 1; got {validation}")
    settled = resolve_rules(manifest, rules)
    work = Drawing(manifest, settled, Fraction(str(validation)), seed)
    alone = work.alone() if one_by_one else np.zeros(len(manifest), dtype=bool)
    if manifest.table.column("parent_id").null_count != len(manifest) and not alone.all():
        raise ManifestError(
            "the manifest has augmented copies; split first and augment then, "
            "or copies of one photograph end up in train and test"
        )
    work.give()
    work.draw(group_names(manifest, alone, near, pictures))
    done = manifest.with_column("split", work.names.tolist())
    counts = done.counts()
    _warn_of_empty_classes(counts)
    facts: dict[str, Any] = {
        "rule": settled.text,
        "rules": {dataset: rule.text for dataset, rule in work.rules.items()},
        "validation": validation,
        "seed": seed,
        "counts": counts,
    }
    if work.folds:
        facts["folds"] = work.folds
    return done.with_provenance("split", facts)


def _suitable_rule(manifest: Manifest, dataset: str) -> SplitRule:
    """Return the rule that `auto` stands for."""
    table = manifest.table.filter(pc.equal(manifest.table.column("dataset"), dataset))
    parts = set(pc.unique(table.column("official_split")).to_pylist())
    if None not in parts and "train" in parts and len(parts) > 1:
        return OfficialRule()
    if not table.column("subject").null_count:
        return _BY_SUBJECT
    logger.warning(
        "%s has no official split, and not every row says who it shows: it is split by class only "
        "(%s), and people can't be held apart",
        dataset,
        _BY_CLASS.text,
    )
    return _BY_CLASS


def _warn_of_empty_classes(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Name the classes that a split lacks although the manifest has them."""
    for part, by_label in counts.items():
        if not any(by_label.values()):
            continue
        absent = [
            label
            for label, rows in by_label.items()
            if not rows and any(other[label] for other in counts.values())
        ]
        if absent:
            logger.warning("%s has no row of %s", part, ", ".join(absent))
