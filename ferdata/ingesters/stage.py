"""The first stage: a folder, as a dataset's authors ship it, becomes a manifest."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ferdata.core.errors import FerdataError, LayoutError, OptionError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import all_ingesters, ingester
from ferdata.ingesters.code_orders import check_codes_option
from ferdata.ingesters.contract import Ingester, Layout
from ferdata.ingesters.count_checks import check_counts, official_counts
from ferdata.ingesters.evidence import CLAIM
from ferdata.ingesters.fingerprints import suspicions
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.sample import samples_table
from ferdata.ingesters.tally import Tally
from ferdata.ingesters.tree import FileTree, extract_command
from ferdata.ingesters.unknown import describe_unknown

logger = logging.getLogger(__name__)

_SURE = 0.9
"""An incomplete copy is not read if another dataset's reaches this confidence."""


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


def examine(layout: Layout) -> Examination:
    """Read the labels of a detected copy as `ingest` does, without options."""
    reader = ingester(layout.dataset)
    tally, rejects = Tally(reader, layout), list[Reject]()
    try:
        rows = sum(1 for _ in tally.watch(reader.read(layout, reader.info.choose({})), rejects))
        tally.refuse_wrong_labels()
    except FerdataError as error:
        return Examination(error=str(error))
    kinds = Counter(each.reason.partition(":")[0] for each in rejects)
    for kind in reader.info.expected_rejects:
        del kinds[kind]
    return Examination(tuple(tally.suspicions()), "", rows, kinds)


def ingest(name: str, root: Path, **choices: str | None) -> Manifest:
    """Read a dataset's labels and annotation into a manifest; images are not opened.

    The manifest's root is the folder of the dataset itself, even if `root` is a folder above it,
    so that the same data gives the same manifest.

    Args:
        name: The dataset's name, for instance `"rafdb"`.
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
        CodeOrderError: The class counts show that the labels would be wrong.
        UnknownNameError: The dataset, or the value of a choice, is unknown.
        OptionError: The dataset offers no such choice.
        PluginError: The dataset comes from a plugin that can't be used.
    """
    reader = ingester(name)
    root = Path(root)
    tree = FileTree.scan(root)
    source = choices.pop("source", None)
    chosen = reader.info.choose(choices)
    if CODES_CHOICE in chosen:
        check_codes_option(chosen[CODES_CHOICE])
    layout = _choose(reader, tree, source)
    logger.info("%s: reading the %s layout in %s", name, layout.name, layout.root)
    rejects: list[Reject] = []
    tally = Tally(reader, layout)
    samples = tally.watch(reader.read(layout, chosen), rejects)
    framing = reader.info.layout(layout.name).framing
    manifest = Manifest(
        samples_table(samples, name, layout.name, framing),
        reader.label_space(chosen),
        rejects=tuple(rejects),
        roots={name: layout.root},
    )
    tally.refuse_wrong_labels()
    if CODES_CHOICE in chosen and not layout.notices.said:
        raise OptionError(
            f"--codes {chosen[CODES_CHOICE]}: the labels of this copy ({layout.name}) are not "
            "codes in an order that could be chosen; leave it out"
        )
    manifest.validate()
    layout.notices.log(name)
    _warn_of_rejects(name, rejects)
    return manifest.with_provenance("ingest", _provenance(manifest, reader, layout, chosen, root))


def _choose(reader: Ingester, tree: FileTree, source: str | None) -> Layout:
    """Pick the layout to read, or explain why there is none."""
    layouts = sorted((each for each in reader.detect(tree) if _is_claim(each)), key=_rank)
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
    if best.missing and (others := _detect(tree)):
        surest = others[0]
        if surest.dataset != reader.name and surest.confidence >= _SURE:
            raise LayoutError(_explain_missing(reader, tree))
    rivals = [each.root for each in fitting if _rank(each) == _rank(best)]
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
        lines.append(f"It contains {', '.join(archives[:3])}: extract it first:")
        lines += [f"  {extract_command(tree.root / each)}" for each in archives[:3]]
    if weak := reader.detect(tree):
        lines.append(f"What speaks for it is not enough: {'; '.join(weak[0].evidence)}.")
    lines += describe_unknown(tree)
    lines.append("These layouts are known:")
    lines += [f"  {each.name}: {each.evidence}" for each in reader.info.layouts]
    lines.append(f"`ferdata datasets {reader.name}` shows each layout as a tree.")
    return "\n".join(lines)


def _detect(tree: FileTree) -> list[Layout]:
    found = (layout for each in all_ingesters().values() for layout in each.detect(tree))
    return sorted(filter(_is_claim, found), key=_rank)


def _is_claim(layout: Layout) -> bool:
    """Say whether there is enough evidence to take a folder for a dataset."""
    return layout.confidence >= CLAIM or bool(layout.missing)


def _rank(layout: Layout) -> tuple[float, str, int, int]:
    """Return the order of layouts: the surest first, of equally sure ones the authors'."""
    info = ingester(layout.dataset).info
    names = [each.name for each in info.layouts]
    place = names.index(layout.name) if layout.name in names else len(names)
    sources = list(info.image)
    source = sources.index(layout.source) if layout.source in sources else len(sources)
    return -layout.confidence, layout.dataset, place, source


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
    notes = {"notes": list(layout.notices.said)} if layout.notices.said else {}
    return {
        "dataset": reader.name,
        "layout": layout.name,
        "source": layout.source,
        "choices": dict(choices),
        "rows": len(manifest),
        "rejects": len(manifest.rejects),
        "counts": counts,
        "suspicions": doubts,
        **notes,
        **check_counts(manifest, reader.name, expected, folders),
    }


def _between(root: Path, inner: Path) -> list[Path]:
    """Return the folders above `inner` up to `root`."""
    return [each for each in inner.parents if each.is_relative_to(root)]
