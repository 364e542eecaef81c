"""The two orders of augmentation and split: the sound one, and the one of papers that leak."""

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


def arrange(
    manifest: Manifest, rules: SplitRules, options: BuildOptions
) -> tuple[Manifest, Manifest]:
    """Split and augment, in the order that the options ask for.

    Args:
        manifest: Source images with pixel hashes, as `locate_faces` fills them in.
        rules: Settled split rules.
        options: The build's options.

    Returns:
        The source images with their splits, and all rows, augmented copies included.

    Raises:
        FerdataError: The rows, the rules and the options don't fit together.
    """
    if options.augments_first:
        return augment_then_split(manifest, rules, options)
    return split_then_augment(manifest, rules, options)


def split_then_augment(
    manifest: Manifest, rules: SplitRules, options: BuildOptions
) -> tuple[Manifest, Manifest]:
    """Split, then raise the small classes of train; copies stay with their parents."""
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
    """Raise the small classes of all images, then split originals and copies one by one.

    Raises:
        OptionError: A rule says of images where they go, so that copies can't be drawn.
    """
    datasets = sorted(set(manifest.strings("dataset")))
    bound = [name for name in datasets if not isinstance(rules.of(name), StratifiedRule)]
    if bound:
        raise OptionError(
            f"--split {rules.text}: what is augmented before the split is drawn one by one, and "
            f"{', '.join(bound)} has another rule than a stratified one; "
            "use for instance --split stratified:8:1:1"
        )
    found = find_duplicates(manifest, near=options.near_duplicates)
    manifest = manifest.with_provenance("duplicates", found.summary(options.duplicates, [], 0))
    every = _balance(manifest.with_column("split", ["train"] * len(manifest)), options)
    done = split(every, rules, seed=options.seed, ignore_groups=True)
    done = declare_leak(done, rules, augmented_before_split=True)
    check_splits(done)
    originals = done.table.filter(pc.is_null(done.table.column("parent_id")))
    return replace(done, table=originals), done


def _balance(manifest: Manifest, options: BuildOptions) -> Manifest:
    return balance(
        manifest,
        to=parse_target(options.balance_to),
        max_copies=options.max_copies,
        operations=None if options.operations is None else load_operations(options.operations),
        seed=options.seed,
    )
