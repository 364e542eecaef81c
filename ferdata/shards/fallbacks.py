"""Builds that can't do as asked: what stops them, and what their records say they did instead.

Alignment without landmarks stores whole images. A build whose detector can't run must not do that
to all images, so it stops. Single images in which no face is found are stored whole and counted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import FerdataError
from ferdata.core.manifest import Manifest
from ferdata.core.split_rules import (
    AutoRule,
    NativeRule,
    SplitRule,
    SplitRules,
    StratifiedRule,
    parse_rules,
)
from ferdata.faces.locate import has_points
from ferdata.shards.render import alignment_kind

_PLURAL = {"photograph": "photographs", "crop": "face crops"}
_LEAST_SPREAD = 1e-9  # of five points that determine a scale, see `faces.align.similarity`


def needs_detector(manifest: Manifest, align: str) -> bool:
    """Tell whether an image is to be aligned whose dataset ships no landmarks.

    Args:
        manifest: Rows before the face stage.
        align: `auto`, `none` or `five`.
    """
    return bool((_to_align(manifest, align) & ~has_points(manifest)).any())


def with_remedy(error: FerdataError) -> FerdataError:
    """Say in a detector's error how to build without landmarks on purpose."""
    return type(error)(
        f"{error} Images are to be aligned by its landmarks; to store them whole on purpose, "
        "use --landmarks none --align none."
    )


def record_split_fallbacks(manifest: Manifest, asked: str, resolved: SplitRules) -> Manifest:
    """Record for which datasets `auto` takes a copy's own split, or splits by class only.

    Args:
        manifest: Source images.
        asked: The split rules as given.
        resolved: What they became.
    """
    rules = parse_rules(asked)
    found = [
        text
        for name in sorted(set(manifest.strings("dataset")))
        if isinstance(rules.of(name), AutoRule)
        and (text := _split_fallback(name, resolved.of(name)))
    ]
    return manifest.with_provenance("fallbacks", {"split": found}) if found else manifest


def _split_fallback(dataset: str, rule: SplitRule) -> str:
    """Say what `auto` became for lack of an official split; empty for a subject-independent one."""
    if isinstance(rule, NativeRule):
        return (
            f"the split of {dataset} is the one found in this copy, not its authors'; images that "
            "are in two of its parts are handled as --duplicates says"
        )
    if isinstance(rule, StratifiedRule):
        return (
            f"the split of {dataset} is by class only, since not every image has a subject: images "
            "of one subject may be in several splits"
        )
    return ""


def fallback_notes(manifest: Manifest, align: str) -> Iterator[str]:
    """Yield what a build did instead of what was asked, one text each.

    Args:
        manifest: Rows after the face stage; augmented copies don't count.
        align: `auto`, `none` or `five`.
    """
    yield from _reading_notes(manifest)
    yield from manifest.provenance.get("fallbacks", {}).get("split", ())
    yield from manifest.provenance.get("faces", {}).get("fallbacks", ())
    original = np.array([parent is None for parent in manifest.column("parent_id")], bool)
    to_align = _to_align(manifest, align) & original
    whole = to_align & ~_can_be_aligned(manifest)
    framings = np.array(manifest.column("framing"), object)
    for framing, name in _PLURAL.items():
        count = int((whole & (framings == framing)).sum())
        if count:
            total = int((to_align & (framings == framing)).sum())
            yield f"{count:,} of {total:,} {name} have no landmarks and are stored whole, unaligned"


def _reading_notes(manifest: Manifest) -> Iterator[str]:
    """Yield how copies were read where that had to be found out, such as the order of codes."""
    alone = manifest.provenance.get("ingest", {})
    if name := alone.get("dataset"):
        yield from (f"{name}: {note}" for note in alone.get("notes", ()))
    for name, source in manifest.provenance.get("merge", {}).get("sources", {}).items():
        yield from (f"{name}: {note}" for note in source.get("ingest", {}).get("notes", ()))


def _to_align(manifest: Manifest, align: str) -> npt.NDArray[np.bool_]:
    """Return which rows are to be aligned by five points, bool (N,)."""
    framings = manifest.column("framing")
    return np.array([alignment_kind(align, framing) == "five" for framing in framings], bool)


def _can_be_aligned(manifest: Manifest) -> npt.NDArray[np.bool_]:
    """Return which rows have five points that determine an alignment, bool (N,)."""
    column = manifest.table.column("five_points")
    known = np.array(column.is_valid().to_numpy(), bool)
    points = column.drop_null().combine_chunks().flatten().to_numpy().reshape(-1, 5, 2)
    deviation = points.astype(np.float64) - points.mean(axis=1, keepdims=True)
    known[known] = (deviation**2).sum(axis=(1, 2)) > _LEAST_SPREAD
    return known
