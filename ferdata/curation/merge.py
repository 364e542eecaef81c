"""Merging: manifests of several datasets become one, every label carried over by its name."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import LabelError, ManifestError
from ferdata.core.manifest import Manifest, Reject
from ferdata.recipes.mix import DROP, Mix, require_sources

logger = logging.getLogger(__name__)


def merge(manifests: Iterable[Manifest], mix: Mix) -> Manifest:
    """Join the manifests of a mix's datasets.

    Args:
        manifests: One for each source of the mix, or several sources in one; source images only.
        mix: The label space, and what becomes of labels that it does not have.

    Returns:
        The rows of all, in the order of the mix's sources, with the mix's label space. Rows of
        classes that the mix drops are among the rejects (stage `curate`). Roots are those of all;
        provenance under `"merge"`.

    Raises:
        ManifestError: A source is missing, given twice, or not part of the mix.
        LabelError: A label has no name in the label space; all such labels are listed.
    """
    parts = _by_dataset(manifests)
    require_sources(mix, parts)
    ordered = [parts[name] for name in mix.sources]
    _require_mapped(parts, mix)
    relabeled = [_relabel(parts[name], name, mix) for name in mix.sources]
    relabeled = _settle_lacking(relabeled, mix)
    merged = Manifest(
        pa.concat_tables([part.table for part in relabeled]),
        mix.space,
        rejects=tuple(reject for part in relabeled for reject in part.rejects),
        roots=_roots(ordered),
    )
    merged.validate()
    facts = {
        "mix": mix.model_dump(mode="json"),
        "sources": {
            name: dict(part.provenance) for name, part in zip(mix.sources, ordered, strict=True)
        },
        "counts": counts_by_dataset(merged),
    }
    ingested = {"datasets": list(mix.sources)} | _synthetic(ordered)
    return merged.with_provenance("ingest", ingested).with_provenance("merge", facts)


def counts_by_dataset(manifest: Manifest) -> dict[str, dict[str, dict[str, int]]]:
    """Count rows by dataset, split and class.

    Returns:
        `{dataset: {split: {label: rows}}}` with every class; rows without a split under `""`.
    """
    grouped = manifest.table.group_by(["dataset", "split", "label"]).aggregate([([], "count_all")])
    counts: dict[str, dict[str, dict[str, int]]] = {}
    rows = sorted(grouped.to_pylist(), key=lambda row: (row["dataset"], row["split"] or ""))
    for row in rows:
        split = counts.setdefault(row["dataset"], {}).setdefault(
            row["split"] or "", dict.fromkeys(manifest.label_space.names, 0)
        )
        split[row["label"]] = row["count_all"]
    return counts


def _by_dataset(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """Cut manifests into one for each dataset; their rejects go with the dataset of their id."""
    parts: dict[str, Manifest] = {}
    for manifest in manifests:
        if manifest.table.column("parent_id").null_count != len(manifest):
            raise ManifestError("a manifest has augmented copies; merge before augmenting")
        names = set(pc.unique(manifest.table.column("dataset")).to_pylist()) | set(manifest.roots)
        for name in sorted(names):
            if name in parts:
                raise ManifestError(f"{name} is given twice; merge takes each dataset once")
            alone = len(names) == 1
            rejects = [
                reject
                for reject in manifest.rejects
                if alone or reject.sample_id.partition("/")[0] == name
            ]
            parts[name] = replace(
                manifest,
                table=manifest.table.filter(pc.equal(manifest.table.column("dataset"), name)),
                rejects=tuple(rejects),
            )
    return parts


def _require_mapped(parts: Mapping[str, Manifest], mix: Mix) -> None:
    """Refuse labels that the mix says nothing about, and name all of them."""
    unmapped = []
    for name, part in parts.items():
        counts = Counter(part.column("label"))
        known = set(mix.space.names) | set(mix.sources[name].labels)
        unmapped += [
            f"  {name}: {label} ({counts[label]:,} rows)" for label in sorted(set(counts) - known)
        ]
    if unmapped:
        listed = "\n".join(unmapped)
        raise LabelError(
            f"mix {mix.name}: labels without a name in its label space "
            f"({', '.join(mix.space.names)}):\n{listed}\n"
            "Map each under `labels` of its source, to a name or to `drop`."
        )


def _relabel(part: Manifest, name: str, mix: Mix) -> Manifest:
    """Give the rows of a source the names of the mix, and leave behind what it drops."""
    mapping = mix.sources[name].labels
    labels = [mapping.get(label, label) for label in part.column("label")]
    dropped = np.array([label == DROP for label in labels], dtype=bool)
    kept = [label for label in labels if label != DROP]
    left = _leave_behind(part, dropped, "class not in the mix")
    return replace(left.with_column("label", kept), label_space=mix.space)


def _settle_lacking(parts: Sequence[Manifest], mix: Mix) -> list[Manifest]:
    """Do with classes that not every source has what the mix says."""
    has = {name: set(part.column("label")) for name, part in zip(mix.sources, parts, strict=True)}
    present = set().union(*has.values())
    lacking = {
        label: [name for name, labels in has.items() if label not in labels]
        for label in mix.space.names
        if label in present and any(label not in labels for labels in has.values())
    }
    if not lacking or mix.lacking == "keep":
        return list(parts)
    if mix.lacking == "error":
        said = "; ".join(f"{label}: not in {', '.join(names)}" for label, names in lacking.items())
        raise LabelError(
            f"mix {mix.name}: not every source has every class ({said}). "
            "Set `lacking` to keep or drop, or drop the class under `labels`."
        )
    space = [label for label in mix.space.names if label not in lacking]
    logger.warning("mix %s: %s dropped: not in every source", mix.name, ", ".join(lacking))
    return [
        _leave_behind(
            part,
            ~np.isin(part.strings("label").astype(str), space),
            "class not in every source of the mix",
        )
        for part in parts
    ]


def _leave_behind(part: Manifest, mask: np.ndarray[Any, np.dtype[np.bool_]], kind: str) -> Manifest:
    rows = part.take(np.flatnonzero(mask)).rows(["sample_id", "uri", "label"])
    rejects = [
        Reject(row["sample_id"], row["uri"], "curate", f"{kind}: {row['label']}") for row in rows
    ]
    return part.reject(mask, rejects)


def _roots(parts: Sequence[Manifest]) -> dict[str, Path]:
    return {name: root for part in parts for name, root in part.roots.items()}


def _synthetic(parts: Sequence[Manifest]) -> dict[str, Any]:
    """Return the scale of the synthetic copies among the sources, if any."""
    scales = [
        part.provenance["ingest"]["synthetic_scale"]
        for part in parts
        if "synthetic_scale" in part.provenance.get("ingest", {})
    ]
    return {"synthetic_scale": scales[0]} if scales else {}
