"""Merging the manifests of several datasets into one; labels are carried over by name."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import LabelError, ManifestError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject, most_first
from ferdata.recipes.mix import DROP, Mix

logger = logging.getLogger(__name__)


def merge(manifests: Iterable[Manifest], mix: Mix) -> Manifest:
    """Merge the manifests of a mix's datasets.

    Args:
        manifests: One manifest for each source of the mix, or several sources in one; source images
            only.
        mix: The label space, and how labels outside of it are mapped.

    Returns:
        All rows in the order of the mix's sources, with the mix's label space and all roots. Rows
        of classes that the mix drops are among the rejects (stage `curate`); provenance under
        `"merge"`.

    Raises:
        ManifestError: A source is missing, given twice, or not part of the mix.
        LabelError: Labels have no name in the label space (all are listed), or a class is not in
            every source and the mix makes that an error.
    """
    parts = _by_dataset(manifests)
    _require_sources(parts, mix)
    sources = [parts[name] for name in mix.sources]
    _require_mapped(parts, mix)
    relabeled = [_relabel(parts[name], name, mix) for name in mix.sources]
    relabeled = _handle_missing_classes(relabeled, mix)
    merged = Manifest(
        pa.concat_tables([part.table for part in relabeled]),
        mix.space,
        rejects=tuple(reject for part in relabeled for reject in part.rejects),
        roots={name: root for part in sources for name, root in part.roots.items()},
    )
    merged.validate()
    provenance = {
        "mix": mix.model_dump(mode="json", by_alias=True),
        "sources": {
            name: dict(part.provenance) for name, part in zip(mix.sources, sources, strict=True)
        },
        "counts": counts_by_dataset(merged),
    }
    ingested = {
        "datasets": list(mix.sources),
        "ignored": _ignored(sources),
        "decisions": [
            text
            for source in sources
            for text in source.provenance.get("ingest", {}).get("decisions", ())
        ],
        **_synthetic_scale(sources),
    }
    return merged.with_provenance("ingest", ingested).with_provenance("merge", provenance)


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
    """Divide manifests into one for each dataset; a reject goes with the dataset of its id."""
    parts: dict[str, Manifest] = {}
    for manifest in manifests:
        if manifest.table.column("parent_id").null_count != len(manifest):
            raise ManifestError("a manifest has augmented copies; merge before augmenting")
        names = set(pc.unique(manifest.table.column("dataset")).to_pylist()) | set(manifest.roots)
        for name in sorted(names):
            if name in parts:
                raise ManifestError(f"{name} is given twice; give each dataset once")
            only_one = len(names) == 1
            rejects = [
                reject
                for reject in manifest.rejects
                if only_one or reject.sample_id.partition("/")[0] == name
            ]
            parts[name] = replace(
                manifest,
                table=manifest.table.filter(pc.equal(manifest.table.column("dataset"), name)),
                rejects=tuple(rejects),
            )
    return parts


def _ignored(sources: Iterable[Manifest]) -> dict[str, int]:
    """Add up the files that became no rows, by rule."""
    total: Counter[str] = Counter()
    for source in sources:
        total.update(source.provenance.get("ingest", {}).get("ignored", {}))
    return most_first(total)


def _require_sources(parts: Mapping[str, Manifest], mix: Mix) -> None:
    """Check that there is a manifest of each source of the mix, and of no other dataset."""
    problems = []
    if missing := sorted(set(mix.sources) - set(parts)):
        problems.append(f"no manifest for {', '.join(missing)}")
    if extra := sorted(set(parts) - set(mix.sources)):
        problems.append(f"{', '.join(extra)} is not one of its sources")
    if problems:
        raise ManifestError(
            f"mix {mix.name}: {'; '.join(problems)}. Its sources: {', '.join(mix.sources)}."
        )


def _require_mapped(parts: Mapping[str, Manifest], mix: Mix) -> None:
    """Refuse labels that are neither in the mix's label space nor mapped; list all of them."""
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
            f"mix {mix.name}: these labels are not in its label space "
            f"({', '.join(mix.space.names)}):\n{listed}\n"
            "Map each to a name or to `drop`, under `labels` of its source."
        )


def _relabel(part: Manifest, name: str, mix: Mix) -> Manifest:
    """Give the rows of a source the labels of the mix, and reject those that it drops."""
    mapping = mix.sources[name].labels
    labels = np.array([mapping.get(label, label) for label in part.column("label")], dtype=object)
    kept = labels != DROP
    left = _reject(part, ~kept, "class not in the mix")
    return replace(left.with_column("label", labels[kept].tolist()), label_space=mix.space)


def _handle_missing_classes(parts: Sequence[Manifest], mix: Mix) -> list[Manifest]:
    """Keep, drop or refuse classes that not every source has, as the mix says."""
    has = {name: set(part.column("label")) for name, part in zip(mix.sources, parts, strict=True)}
    present = set().union(*has.values())
    lacking = {
        label: [name for name, labels in has.items() if label not in labels]
        for label in mix.space.names
        if label in present and any(label not in labels for labels in has.values())
    }
    if not lacking or mix.missing_classes == "keep":
        return list(parts)
    if mix.missing_classes == "error":
        listed = "; ".join(
            f"{label} is not in {', '.join(names)}" for label, names in lacking.items()
        )
        raise LabelError(
            f"mix {mix.name}: not every source has every class: {listed}. "
            "Set `missing_classes` to keep or drop, or drop the class under `labels`."
        )
    logger.warning("mix %s: dropped %s, which not every source has", mix.name, ", ".join(lacking))
    return [
        _reject(
            part,
            np.isin(part.strings("label").astype(str), list(lacking)),
            "class not in every source of the mix",
        )
        for part in parts
    ]


def _reject(part: Manifest, mask: npt.NDArray[np.bool_], reason: str) -> Manifest:
    rows = part.take(np.flatnonzero(mask)).rows(["sample_id", "uri", "label"])
    rejects = [
        Reject(row["sample_id"], row["uri"], "curate", f"{reason}: {row['label']}") for row in rows
    ]
    return part.reject(mask, rejects)


def _synthetic_scale(parts: Sequence[Manifest]) -> dict[str, Any]:
    """Return the scale of the synthetic copies among the sources, if any."""
    for part in parts:
        if "synthetic_scale" in (ingest := part.provenance.get("ingest", {})):
            return {"synthetic_scale": ingest["synthetic_scale"]}
    return {}
