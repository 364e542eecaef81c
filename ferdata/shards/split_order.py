"""The two orders of split and augmentation: split first, or, as in papers that leak, split last."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.compute as pc

from ferdata.augmentation.balance import balance
from ferdata.augmentation.operation_config import load_operations
from ferdata.augmentation.target import parse_target
from ferdata.core.errors import OptionError
from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import SplitRules, StratifiedRule
from ferdata.curation.duplicates import find_duplicates
from ferdata.curation.leakage import check_splits, declare_leak
from ferdata.curation.split import split
from ferdata.curation.stage import curate
from ferdata.shards.options import BuildOptions


def split_and_augment(
    manifest: Manifest, rules: SplitRules, options: BuildOptions
) -> tuple[Manifest, Manifest]:
    """Split and augment in the order that the options ask for.

    Args:
        manifest: Source images with pixel hashes, as `locate_faces` returns them.
        rules: Resolved split rules, without `auto`.
        options: The build's options.

    Returns:
        The source images with their splits, and all rows, augmented copies included.

    Raises:
        FerdataError: The rows, the rules and the options contradict each other.
    """
    if options.augments_first:
        return augment_then_split(manifest, rules, options)
    return split_then_augment(manifest, rules, options)


def split_then_augment(
    manifest: Manifest, rules: SplitRules, options: BuildOptions
) -> tuple[Manifest, Manifest]:
    """Split, then balance the classes of train; copies stay in the split of their parents."""
    source = curate(
        manifest,
        rules,
        duplicates=options.duplicates,
        near=options.near_duplicates,
        validation=options.validation,
        seed=options.seed,
        ignore_groups=options.allow_group_leak,
    )
    if options.augment == "none":
        return source, source
    augmented = _balance(source, options)
    check_splits(augmented)
    return source, augmented


def augment_then_split(
    manifest: Manifest, rules: SplitRules, options: BuildOptions
) -> tuple[Manifest, Manifest]:
    """Balance the classes of all images, then split originals and copies individually.

    Raises:
        OptionError: A rule is not `stratified`, so rows can't be drawn individually.
    """
    datasets = sorted(set(manifest.strings("dataset")))
    others = [name for name in datasets if not isinstance(rules.of(name), StratifiedRule)]
    if others:
        raise OptionError(
            f"--split {rules.text}: images augmented before the split are assigned to splits "
            f"individually, so the rule of {', '.join(others)} must be stratified; "
            "use for instance --split stratified:8:1:1"
        )
    duplicates = find_duplicates(manifest, near=options.near_duplicates)
    manifest = manifest.with_provenance("duplicates", duplicates.summary(options.duplicates, [], 0))
    augmented = _balance(manifest.with_column("split", ["train"] * len(manifest)), options)
    rows = split(augmented, rules, seed=options.seed, ignore_groups=True)
    rows = declare_leak(rows, rules, augmented_before_split=True)
    check_splits(rows)
    originals = rows.table.filter(pc.is_null(rows.table.column("parent_id")))
    return replace(rows, table=originals), rows


def _balance(manifest: Manifest, options: BuildOptions) -> Manifest:
    return balance(
        manifest,
        to=parse_target(options.balance_to),
        max_copies=options.max_copies,
        operations=None if options.operations is None else load_operations(options.operations),
        draws=options.draws,
        seed=options.seed,
    )
