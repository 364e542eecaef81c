"""Leaks that are declared: what a build that follows a paper's protocol lets through, in numbers.

Two protocols leak by design. Augmenting before the split puts copies of one photograph into train
and test; drawing frames or portraits one by one puts one film or one person there. Both may be
asked for; the provenance then says so under `"leak"`, with how much of the held-out images it
touches, and everything that reports on the rows says it in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import SplitRules, StratifiedRule

_LINKS = {
    "photograph": ("picture",),
    "sequence": ("dataset", "subject", "sequence"),
    "person": ("dataset", "subject"),
}
"""What two images can have in common, and the columns that say so."""


def declare_leak(
    manifest: Manifest, rules: SplitRules, *, augmented_before_split: bool = False
) -> Manifest:
    """Record that rows were drawn one by one, and what that let through.

    Args:
        manifest: Rows with `split`.
        rules: The rules that they were split by; rows of `stratified` ones were drawn one by one.
        augmented_before_split: Whether augmented copies were among them.

    Returns:
        The same rows; provenance under `"leak"`: `one_by_one` (the datasets), and for each thing
        that images have in common how many are in several splits, and of the held-out images how
        many have it in common with train.
    """
    datasets = sorted(set(manifest.strings("dataset")))
    facts: dict[str, Any] = {
        "augmented_before_split": augmented_before_split,
        "one_by_one": [name for name in datasets if isinstance(rules.of(name), StratifiedRule)],
        "held_out": {
            part: sum(rows.values())
            for part, rows in manifest.counts().items()
            if part != "train" and any(rows.values())
        },
    }
    table = _with_picture(manifest.table)
    for what, columns in _LINKS.items():
        if what == "photograph" and not augmented_before_split:
            continue  # equal pictures are the matter of `duplicates`
        if shared := _shared(table, columns, facts["held_out"]):
            facts[what] = shared
    return manifest.with_provenance("leak", facts)


def leak_texts(provenance: Mapping[str, Any]) -> list[str]:
    """Say in words where rows of different splits are not independent; empty where they are.

    Args:
        provenance: The provenance of a manifest.
    """
    return [*_declared(provenance.get("leak", {})), *_kept(provenance.get("duplicates", {}))]


def _declared(leak: Mapping[str, Any]) -> list[str]:
    shared = {what: leak[what] for what in _LINKS if what in leak}
    several = [
        f"{facts['in_several_splits']:,} of {facts['all']:,} {_plural(what)}"
        for what, facts in shared.items()
        if facts["in_several_splits"]
    ]
    if not several:
        return []
    cause = (
        "originals and augmented copies were split one by one, after augmentation"
        if leak["augmented_before_split"]
        else f"images of {', '.join(leak['one_by_one'])} were split one by one"
    )
    texts = [f"{cause}; {_listed(several)} have images in more than one split"]
    for part, rows in sorted(leak["held_out"].items()):
        met = [
            f"{facts['met_in_train'][part]:,} ({facts['met_in_train'][part] / rows:.1%}) "
            f"share a {what} with train"
            for what, facts in shared.items()
            if facts["met_in_train"][part]
        ]
        if met:
            texts.append(f"of {rows:,} {part} images {_listed(met)}")
    return ["; ".join(texts)]


def _kept(duplicates: Mapping[str, Any]) -> list[str]:
    number = duplicates.get("clusters_across_splits", 0)
    if duplicates.get("action") != "keep" or not number:
        return []
    return [f"{number} pictures are in more than one split, as `--duplicates keep` asked for"]


def _with_picture(table: pa.Table) -> pa.Table:
    """Add a column that is equal for one photograph's copies, augmented or not."""
    picture = pc.coalesce(
        table.column("pixel_sha256"), table.column("parent_id"), table.column("sample_id")
    )
    return table.append_column("picture", picture)


def _shared(
    table: pa.Table, columns: tuple[str, ...], held_out: Mapping[str, int]
) -> dict[str, Any]:
    """Count what is in several splits, and held-out rows that have it in common with train."""
    known = table.filter(pc.is_valid(table.column(columns[-1]))).select([*columns, "split"])
    if not known.num_rows:
        return {}
    frame = known.to_pandas()
    number = frame.groupby(list(columns), dropna=False, sort=False).ngroup()
    splits = frame["split"].groupby(number).nunique()
    in_train = number.isin(number[frame["split"] == "train"])
    return {
        "all": len(splits),
        "in_several_splits": int((splits > 1).sum()),
        "met_in_train": {
            part: int((in_train & (frame["split"] == part)).sum()) for part in held_out
        },
    }


def _plural(what: str) -> str:
    return {"person": "people"}.get(what, f"{what}s")


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
