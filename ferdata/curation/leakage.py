"""Leakage between splits: declared where it is asked for, counted, described, and else refused.

Two protocols of papers leak by design. Augmenting before the split puts copies of one image into
train and test; drawing images individually puts one sequence or one subject there. A build can ask
for both. Its provenance then declares the leak under `"leak"`, with the number of held-out images
that are affected, and everything that reports on the rows describes it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import ManifestError
from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import SplitRules, StratifiedRule
from ferdata.curation.groups import SEQUENCE, SUBJECT, number_by

logger = logging.getLogger(__name__)

_LINKS = {"photograph": ("image",), "sequence": SEQUENCE, "person": SUBJECT}
"""What images can share, as named in the provenance, and the columns that identify it."""

_WORDS = {"photograph": "an original image", "sequence": "a sequence", "person": "a subject"}


def declare_leak(
    manifest: Manifest, rules: SplitRules, *, augmented_before_split: bool = False
) -> Manifest:
    """Record in the provenance that rows were drawn individually, and how much leaked.

    Args:
        manifest: Rows with `split`.
        rules: Their split rules; the rows of `stratified` ones were drawn individually.
        augmented_before_split: Whether augmented copies were among the rows.

    Returns:
        The same rows; provenance under `"leak"`: `one_by_one` (the datasets), `held_out` (images
        by split), and for each thing that images can share, how many there are, how many are in
        several splits, and how many held-out images share one with train.
    """
    datasets = sorted(set(manifest.strings("dataset")))
    leak: dict[str, Any] = {
        "augmented_before_split": augmented_before_split,
        "one_by_one": [name for name in datasets if isinstance(rules.of(name), StratifiedRule)],
        "held_out": {
            part: sum(rows.values())
            for part, rows in manifest.counts().items()
            if part != "train" and any(rows.values())
        },
    }
    frame = manifest.table.select([*SEQUENCE, "split"]).to_pandas()
    frame["image"] = pc.coalesce(  # equal for an image and all of its copies
        *(manifest.table.column(name) for name in ("pixel_sha256", "parent_id", "sample_id"))
    ).to_pandas()
    for what, columns in _LINKS.items():
        if what == "photograph" and not augmented_before_split:
            continue  # equal images are counted as duplicates
        if shared := _shared(frame, columns, leak["held_out"]):
            leak[what] = shared
    return manifest.with_provenance("leak", leak)


def leak_texts(provenance: Mapping[str, Any]) -> list[str]:
    """Describe why rows of different splits are not independent; empty if they are.

    Args:
        provenance: The provenance of a manifest.
    """
    texts = []
    if text := _describe_leak(provenance.get("leak", {})):
        texts.append(text)
    duplicates = provenance.get("duplicates", {})
    number = duplicates.get("clusters_across_splits", 0)
    if number and duplicates.get("action") == "keep":
        texts.append(f"{number} images are in more than one split, as `--duplicates keep` allows")
    return texts


def check_splits(manifest: Manifest) -> None:
    """Check that every row has a split, copies are with their parents, and nothing leaks.

    Run it after `split` and again after `balance`. Leaks that the provenance declares, and
    duplicates that were kept, are warnings instead of errors.

    Args:
        manifest: Rows with `split`.

    Raises:
        ManifestError: A row has no split, an augmented copy has no parent or, unless declared, is
            in another split than its parent, or a subject or an image is in several splits.
    """
    column = manifest.table.column("split")
    if column.null_count:
        name = manifest.table.filter(pc.is_null(column)).column("sample_id")[0].as_py()
        raise ManifestError(f"{column.null_count} rows have no split, for instance {name!r}")
    leak = manifest.provenance.get("leak", {})
    for text in leak_texts({"leak": leak}):
        logger.warning("this build leaks: %s", text)
    copies_moved = leak.get("augmented_before_split", False)
    check_parents(manifest, copies_moved=copies_moved)
    if subjects := subjects_in_several_splits(manifest):
        dataset, subject = subjects[0]
        rows = manifest.rows(["dataset", "subject", "split"])
        found = {
            each["split"] for each in rows if (each["dataset"], each["subject"]) == subjects[0]
        }
        raise ManifestError(
            f"{len(subjects)} subjects are in more than one split, for instance {subject} of "
            f"{dataset} ({', '.join(sorted(found))}); use a subject-independent split: "
            "--split subject:8:1:1"
        )
    images = images_in_several_splits(manifest)
    if not images or copies_moved:
        return
    copies = manifest.table.filter(pc.equal(manifest.table.column("pixel_sha256"), images[0]))
    named = ", ".join(
        f"{row['sample_id']} ({row['split']})"
        for row in copies.select(["sample_id", "split"]).slice(0, 4).to_pylist()
    )
    message = f"{len(images)} images are in more than one split, for instance {named}"
    if manifest.provenance.get("duplicates", {}).get("action") != "keep":
        raise ManifestError(f"{message}; run ferdata.curation.duplicates.drop_duplicates first")
    logger.warning("%s; these duplicates were kept on request: this build leaks", message)


def check_parents(
    manifest: Manifest, *, copies_moved: bool = False, rejected: Iterable[str] = ()
) -> None:
    """Check that augmented copies have a parent and are in its split.

    Args:
        manifest: Rows with `split`.
        copies_moved: Whether copies may be in other splits than their parents.
        rejected: Sample ids of parents that were rejected after the copies were made.

    Raises:
        ManifestError: A copy's parent is missing or, unless `copies_moved`, in another split.
    """
    table = manifest.table
    copies = table.filter(pc.is_valid(table.column("parent_id")))
    if not copies.num_rows:
        return
    parents = copies.column("parent_id")
    positions = pc.index_in(parents, table.column("sample_id"))
    excused = pc.is_in(parents, value_set=pa.array(sorted(rejected), parents.type))
    missing = pc.and_(pc.is_null(positions), pc.invert(excused))
    if pc.any(missing).as_py():
        row = copies.filter(missing).select(["sample_id", "parent_id"]).slice(0, 1).to_pylist()[0]
        raise ManifestError(
            f"the parent {row['parent_id']!r} of augmented copy {row['sample_id']!r} is missing"
        )
    if copies_moved:
        return
    moved = pc.not_equal(table.column("split").take(positions), copies.column("split"))
    if pc.any(moved).as_py():
        name = copies.filter(moved).column("sample_id")[0].as_py()
        raise ManifestError(f"augmented copy {name!r} is in another split than its parent")


def images_in_several_splits(manifest: Manifest) -> list[str]:
    """Return the pixel hashes that occur in more than one split, sorted."""
    return [values[0] for values in _in_several_splits(manifest, ("pixel_sha256",))]


def subjects_in_several_splits(manifest: Manifest) -> list[tuple[str, str]]:
    """Return dataset and subject of the subjects in more than one split, sorted.

    Datasets whose rows the provenance declares as drawn individually are skipped.
    """
    declared = manifest.provenance.get("leak", {}).get("one_by_one", ())
    found = _in_several_splits(manifest, SUBJECT)
    return [(dataset, subject) for dataset, subject in found if dataset not in declared]


def _in_several_splits(manifest: Manifest, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the values of some columns that occur in more than one split, sorted."""
    known = manifest.table.select([*columns, "split"]).drop_null()
    splits = known.group_by(list(columns)).aggregate([("split", "count_distinct")])
    several = splits.filter(pc.greater(splits.column("split_count_distinct"), 1))
    return sorted(zip(*(several.column(name).to_pylist() for name in columns), strict=True))


def _shared(
    frame: pd.DataFrame, columns: tuple[str, ...], held_out: Mapping[str, int]
) -> dict[str, Any]:
    """Count what is in several splits, and held-out rows that share it with train."""
    number = number_by(frame, columns)
    split, number = frame["split"].to_numpy()[number >= 0], number[number >= 0]
    if not number.size:
        return {}
    splits = pd.Series(split).groupby(number).nunique()
    in_train = np.isin(number, number[split == "train"])
    return {
        "all": len(splits),
        "in_several_splits": int((splits > 1).sum()),
        "met_in_train": {part: int((in_train & (split == part)).sum()) for part in held_out},
    }


def _describe_leak(leak: Mapping[str, Any]) -> str:
    shared = {what: leak[what] for what in _LINKS if what in leak}
    several = [
        f"{counts['in_several_splits']:,} of {counts['all']:,} {_WORDS[what].partition(' ')[2]}s"
        for what, counts in shared.items()
        if counts["in_several_splits"]
    ]
    if not several:
        return ""
    cause = (
        "originals and augmented copies were assigned to splits individually, after augmentation"
        if leak["augmented_before_split"]
        else f"images of {', '.join(leak['one_by_one'])} were assigned to splits individually, "
        "ignoring groups"
    )
    texts = [f"{cause}: {_listed(several)} are in more than one split"]
    for part, rows in sorted(leak["held_out"].items()):
        met = [
            f"{met:,} ({met / rows:.1%}) share {_WORDS[what]} with train"
            for what, counts in shared.items()
            if (met := counts["met_in_train"][part])
        ]
        if met:
            texts.append(f"of {rows:,} {part} images, {_listed(met)}")
    return "; ".join(texts)


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
