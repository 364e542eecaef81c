"""Finding out which datasets a folder holds, and choosing the copy to read."""

from __future__ import annotations

from pathlib import Path

from ferdata.core.errors import LayoutError, UnknownNameError
from ferdata.ingesters.catalog import all_ingesters
from ferdata.ingesters.contract import Ingester, Layout
from ferdata.ingesters.declared.finding import find_ingester, recognize
from ferdata.ingesters.evidence import CLAIM
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.tree import FileTree, extract_command

_ASKED = 0.4
"""A folder that is no other dataset's is read as the one that the user names from here on."""

_SURE = 0.9
"""An incomplete copy is not read if another dataset's reaches this confidence."""


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


def choose_layout(reader: Ingester, tree: FileTree, source: str | None) -> Layout:
    """Choose the copy to read.

    Raises:
        LayoutError: There is none, or several that are as sure; says what the folder holds.
        UnknownNameError: The dataset has no such source.
    """
    info = reader.info
    detected = sorted(reader.detect(tree), key=lambda layout: _rank(layout, info))
    layouts = list(filter(_is_claim, detected)) or _asked_for(detected, tree)
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
    rivals = [each.root for each in fitting if _rank(each, info) == _rank(best, info)]
    if len(rivals) > 1:
        raise LayoutError(
            f"{tree.root}: contains {len(rivals)} copies of {reader.name}: "
            f"{', '.join(map(str, rivals))}. Give one of these folders."
        )
    return best


def _asked_for(detected: list[Layout], tree: FileTree) -> list[Layout]:
    """Return the copies for which only something speaks, besides the user; said in the record."""
    likely = [each for each in detected if each.confidence >= _ASKED]
    if not likely or _detect(tree):
        return []
    for each in likely:
        each.decide(f"read as {each.dataset} because you say so: {'; '.join(each.evidence)}")
    return likely


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
    lines.append(f"As a set of your own: ferdata detect '{tree.root}' --write my.yaml")
    lines.append("These layouts are known:")
    lines += [f"  {each.name}: {each.evidence}" for each in reader.info.layouts]
    lines.append(f"`ferdata datasets {reader.name}` shows each layout as a tree.")
    return "\n".join(lines)


def _detect(tree: FileTree) -> list[Layout]:
    found = [layout for reader in all_ingesters().values() for layout in reader.detect(tree)]
    claims = [*filter(_is_claim, found), *recognize(tree)]
    infos = {name: find_ingester(name).info for name in {each.dataset for each in claims}}
    return sorted(claims, key=lambda each: _rank(each, infos[each.dataset]))


def _is_claim(layout: Layout) -> bool:
    """Say whether there is enough evidence to take a folder for a dataset."""
    return layout.confidence >= CLAIM or bool(layout.missing)


def _rank(layout: Layout, info: DatasetInfo) -> tuple[float, str, int, int]:
    """Return the order of layouts: the surest first, of equally sure ones the authors'."""
    names = [each.name for each in info.layouts]
    place = names.index(layout.name) if layout.name in names else len(names)
    sources = list(info.image)
    source = sources.index(layout.source) if layout.source in sources else len(sources)
    return -layout.confidence, layout.dataset, place, source
