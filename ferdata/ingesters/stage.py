"""The first stage: a folder, as a dataset's authors ship it, becomes a manifest."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ferdata.core.errors import FerdataError, OptionError, TooManyRejectsError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.ingesters.code_orders import check_codes_option
from ferdata.ingesters.contract import Ingester, Layout
from ferdata.ingesters.count_checks import check_counts, official_counts
from ferdata.ingesters.declared.finding import find_ingester
from ferdata.ingesters.detection import choose_layout
from ferdata.ingesters.fingerprints import suspicions
from ferdata.ingesters.inventory import Inventory
from ferdata.ingesters.order_names import CODES_CHOICE, OF_CODES
from ferdata.ingesters.sample import samples_table
from ferdata.ingesters.tally import Tally
from ferdata.ingesters.tree import FileTree

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examination:
    """What reading the labels of a detected copy shows.

    Attributes:
        warnings: What is suspicious about them, one sentence each.
        error: Why the copy can't be read as it is; empty if it can.
        rows: Number of rows.
        rejects: Rejects by kind, without those that the dataset's own rules demand.
    """

    warnings: tuple[str, ...] = ()
    error: str = ""
    rows: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> float:
        """The fraction of images that are rejects; 1 where there is no row."""
        lost = sum(self.rejects.values())
        return lost / (self.rows + lost) if self.rows else 1.0


def examine(layout: Layout) -> Examination:
    """Read the labels of a detected copy as `ingest` does, without options."""
    reader = find_ingester(layout.dataset)
    inventory, tally = Inventory(layout), Tally(reader, layout)
    try:
        found = reader.read(layout, reader.info.choose({}))
        rows = sum(1 for _ in tally.watch(inventory.samples(found)))
        tally.refuse_wrong_labels()
    except FerdataError as error:
        return Examination(error=str(error))
    kinds = Counter(each.reason.partition(":")[0] for each in inventory.rejects)
    for kind in reader.info.expected_rejects:
        del kinds[kind]
    return Examination(tuple(tally.suspicions()), "", rows, kinds)


def ingest(name: str, root: Path, **choices: str | None) -> Manifest:
    """Read a dataset's labels and annotation into a manifest; images are not opened.

    The manifest's root is the folder of the dataset itself, even if `root` is a folder above it,
    so that the same data gives the same manifest.

    Args:
        name: A dataset or ready declaration, for instance `"rafdb"`, or a declaration's path.
        root: The folder that contains it.
        **choices: What to read where the dataset offers a choice, for instance `poses="half"`; see
            `ferdata datasets NAME`. Every dataset takes `source`: the kind of images, for instance
            `"original"`; and `codes`: the order of the label codes of a re-made copy, for instance
            `"alphabetical"`. None is the default.

    Returns:
        A manifest with the rows in the order of the dataset's list. Every line or image that is
        not a row is in its `rejects`.

    Raises:
        LayoutError: The folder does not contain this dataset in a known layout.
        AnnotationError: A label list can't be read.
        LabelError: The labels are not this dataset's.
        WrongLabelsError: The class counts show that the labels would be wrong.
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
    if CODES_CHOICE in chosen:
        check_codes_option(chosen[CODES_CHOICE])
    layout = choose_layout(reader, tree, source)
    logger.info("%s: reading the %s layout in %s", name, layout.name, layout.root)
    inventory, tally = Inventory(layout), Tally(reader, layout)
    samples = tally.watch(inventory.samples(reader.read(layout, chosen)))
    framing = reader.info.layout(layout.name).framing
    table = samples_table(samples, name, layout.name, framing)
    _require_rows(table, layout, inventory.rejects)
    tally.refuse_wrong_labels()
    _require_codes_read(layout, chosen)
    space = reader.space_of(pc.unique(table.column("label")).to_pylist(), chosen)
    manifest = Manifest(table, space, rejects=tuple(inventory.rejects), roots={name: layout.root})
    manifest.validate()
    for decision in layout.decisions:
        logger.warning("%s: %s", name, decision)
    layout.notices.log(name)
    ignored = inventory.ignored()
    logger.info("%s: read %d files of annotation", name, inventory.read)
    for rule, count in ignored.items():
        logger.info("%s: ignored %d %s", name, count, rule)
    _warn_of_rejects(name, inventory.rejects)
    said = _provenance(manifest, reader, layout, chosen, root)
    said |= {"read": inventory.read, "ignored": ignored, "decisions": list(layout.decisions)}
    return manifest.with_provenance("ingest", said)


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


def _require_codes_read(layout: Layout, choices: Mapping[str, str]) -> None:
    """Refuse an order of codes that the reader had no use for.

    Raises:
        OptionError: It was asked for and not used.
    """
    if CODES_CHOICE in choices and not any(each.startswith(OF_CODES) for each in layout.decisions):
        raise OptionError(
            f"--codes {choices[CODES_CHOICE]}: the labels of this copy ({layout.name}) are not "
            "codes in an order that could be chosen; leave it out"
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
