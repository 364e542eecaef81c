"""The first stage: a folder, as a dataset's authors ship it, becomes a manifest."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import (
    LayoutError,
    TooManyRejectsError,
    UnknownNameError,
)
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import all_ingesters
from ferdata.ingesters.contract import Ingester, Layout
from ferdata.ingesters.count_checks import check_counts, official_counts
from ferdata.ingesters.declared.finding import find_ingester, recognize
from ferdata.ingesters.fingerprints import suspicions
from ferdata.ingesters.info import UNSPLIT
from ferdata.ingesters.inventory import Inventory
from ferdata.ingesters.sample import Sample, samples_table
from ferdata.ingesters.tree import FileTree

logger = logging.getLogger(__name__)

_DOUBTFUL = 0.5
_SURE = 0.9
"""A layout below the first confidence is not read if another dataset's reaches the second."""


def detect(root: Path) -> list[Layout]:
    """Find out which datasets a folder contains, and in which layouts.

    Args:
        root: The folder, or one a few levels above it.

    Returns:
        Every layout that fits, the most certain first; empty if no known dataset is there.

    Raises:
        LayoutError: The folder is missing, empty or can't be read.
    """
    return _detect(FileTree.scan(Path(root)))


def examine(layout: Layout) -> list[str]:
    """Read the labels of a detected copy and report what is suspicious about their counts.

    Returns:
        Sentences, see `ferdata.ingesters.fingerprints`.

    Raises:
        FerdataError: The copy can't be read as it is.
    """
    reader = find_ingester(layout.dataset)
    counts: dict[str, dict[str, int]] = {}
    for each in reader.read(layout, reader.info.choose({})):
        if isinstance(each, Sample):
            split = counts.setdefault(each.official_split or UNSPLIT, {})
            split[each.label] = split.get(each.label, 0) + 1
    return suspicions(layout.dataset, counts, layout.root)


def ingest(name: str, root: Path, **choices: str | None) -> Manifest:
    """Read a dataset's labels and annotation into a manifest; images are not opened.

    The manifest's root is the folder of the dataset itself, even if `root` is a folder above it,
    so that the same data gives the same manifest.

    Args:
        name: A dataset or ready declaration, for instance `"rafdb"`, or a declaration's path.
        root: The folder that contains it.
        **choices: What to read where the dataset offers a choice, for instance `poses="half"`; see
            `ferdata datasets NAME`. Every dataset takes `source`: the kind of images, for instance
            `"original"`. None is the default.

    Returns:
        A manifest with the rows in the order of the dataset's list. Every line or image that is
        not a row is in its `rejects`.

    Raises:
        LayoutError: The folder does not contain this dataset in a known layout.
        AnnotationError: A label list can't be read.
        LabelError: The labels are not this dataset's.
        UnknownNameError: The dataset, or the value of a choice, is unknown.
        OptionError: The dataset offers no such choice.
        PluginError: The dataset comes from a plugin that can't be used.
    """
    return ingest_with(find_ingester(name), Path(root), choices)


def ingest_with(reader: Ingester, root: Path, wanted: Mapping[str, str | None]) -> Manifest:
    """Read a dataset with an ingester; otherwise as `ingest`.

    Args:
        reader: The dataset's ingester.
        root: The folder that contains it.
        wanted: What to read where the dataset offers a choice, and the `source`.
    """
    name, choices = reader.name, dict(wanted)
    tree = FileTree.scan(root)
    source = choices.pop("source", None)
    chosen = reader.info.choose(choices)
    layout = _choose(reader, tree, source)
    logger.info("%s: reading the %s layout in %s", name, layout.name, layout.root)
    inventory = Inventory(layout)
    samples = inventory.samples(reader.read(layout, chosen))
    framing = reader.info.layout(layout.name).framing
    table = samples_table(samples, name, layout.name, framing)
    _require_rows(table, layout, inventory.rejects)
    space = reader.space_of(pc.unique(table.column("label")).to_pylist(), chosen)
    manifest = Manifest(table, space, rejects=tuple(inventory.rejects), roots={name: layout.root})
    manifest.validate()
    layout.notices.log(name)
    ignored = inventory.ignored()
    logger.info("%s: read %d files of annotation", name, inventory.read)
    for rule, count in ignored.items():
        logger.info("%s: ignored %d %s", name, count, rule)
    _warn_of_rejects(name, inventory.rejects)
    said = _provenance(manifest, reader, layout, chosen, root)
    said |= {"read": inventory.read, "ignored": ignored, "decisions": list(layout.decisions)}
    return manifest.with_provenance("ingest", said)


def _choose(reader: Ingester, tree: FileTree, source: str | None) -> Layout:
    """Pick the layout to read, or explain why there is none."""
    layouts = sorted(reader.detect(tree), key=lambda layout: -layout.confidence)
    sources = reader.info.image
    if source is not None and source not in sources:
        raise UnknownNameError(f"source of {reader.name}", source, sources)
    if not layouts:
        raise LayoutError(_explain_missing(reader, tree))
    fitting = [layout for layout in layouts if source in (None, layout.source)]
    if not fitting:
        found = ", ".join(f"{each.name} ({each.source} images)" for each in layouts)
        raise LayoutError(
            f"{tree.root}: no {source} images of {reader.name}; found: {found}. "
            f"Omit --source, or add the {source} images of the official distribution."
        )
    best = fitting[0]
    if best.confidence < _DOUBTFUL and (others := _detect(tree)):
        surest = others[0]
        if surest.dataset != reader.name and surest.confidence >= _SURE:
            raise LayoutError(_explain_missing(reader, tree))
    rivals = [each.root for each in fitting if each.confidence == best.confidence]
    if len(rivals) > 1:
        raise LayoutError(
            f"{tree.root}: contains {len(rivals)} copies of {reader.name}: "
            f"{', '.join(map(str, rivals))}. Give one of these folders."
        )
    return best


def _explain_missing(reader: Ingester, tree: FileTree) -> str:
    """Say what a folder contains instead, or what would have been recognized."""
    if others := _detect(tree):
        best = others[0]
        return (
            f"{tree.root}: contains {best.dataset} ({best.name}), not {reader.name}: "
            f"{'; '.join(best.evidence)}.\nRun: ferdata build {best.dataset} --data '{tree.root}'"
        )
    lines = [f"{tree.root}: contains no {reader.name} in a known layout."]
    if tree.unreadable:
        lines.append(f"Some folders {tree.describe_unreadable()}; check the permissions.")
    if archives := tree.archives():
        lines.append(f"It contains {', '.join(archives[:3])}: extract first.")
    lines.append("These layouts are known:")
    lines += [f"  {each.name}: {each.evidence}" for each in reader.info.layouts]
    lines.append(f"`ferdata datasets {reader.name}` shows each layout as a tree.")
    return "\n".join(lines)


def _detect(tree: FileTree) -> list[Layout]:
    found = [layout for each in all_ingesters().values() for layout in each.detect(tree)]
    found += recognize(tree)
    return sorted(found, key=lambda layout: (-layout.confidence, layout.dataset, layout.name))


def _require_rows(table: pa.Table, layout: Layout, rejects: list[Reject]) -> None:
    """Refuse a copy of which nothing can be used."""
    if table.num_rows:
        return
    counted = Counter(each.reason for each in rejects).most_common(3)
    listed = "; ".join(f"{count:,} × {reason}" for reason, count in counted)
    raise TooManyRejectsError(
        f"{layout.root}: read as {layout.dataset} in the {layout.name} layout, but no row can be "
        f"used{f': {listed}' if listed else ', since the folder holds no image'}."
    )


def _warn_of_rejects(name: str, rejects: list[Reject]) -> None:
    if not rejects:
        return
    kinds = Counter(each.reason.partition(":")[0] for each in rejects)
    listed = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common())
    logger.warning("%s: %d rows rejected (%s)", name, len(rejects), listed)


def _provenance(
    manifest: Manifest,
    reader: Ingester,
    layout: Layout,
    choices: Mapping[str, str],
    root: Path,
) -> dict[str, Any]:
    """Record what was read, as JSON values without paths of this machine."""
    folders = dict.fromkeys([root, layout.root, *_between(root, layout.root), root.parent])
    expected = reader.expected_counts(layout, choices)
    counts = official_counts(manifest)
    doubts = suspicions(reader.name, counts)
    for doubt in doubts:
        logger.warning("%s: %s", reader.name, doubt)
    return {
        "dataset": reader.name,
        "layout": layout.name,
        "source": layout.source,
        "choices": dict(choices),
        "rows": len(manifest),
        "rejects": len(manifest.rejects),
        "counts": counts,
        "suspicions": doubts,
        **reader.recorded(),
        **check_counts(manifest, reader.name, expected, folders),
    }


def _between(root: Path, inner: Path) -> list[Path]:
    """Return the folders above `inner` up to `root`."""
    return [each for each in inner.parents if each.is_relative_to(root)]
