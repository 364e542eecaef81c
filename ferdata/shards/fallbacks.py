"""Fallbacks: what a build did instead of what was asked, and when it must stop instead.

An image without landmarks can't be aligned and is stored whole. If the detector can't run at all,
the build stops. Individual images in which no face is found are stored whole and counted.
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
_SPLIT_TEXTS: dict[type[SplitRule], str] = {
    NativeRule: (
        "the split of {} is that of this copy, since the images have no official split: nobody "
        "vouches for it"
    ),
    StratifiedRule: (
        "the split of {} is by class only, since not every image has a subject: images of one "
        "subject may be in several splits"
    ),
}
_LEAST_SPREAD = 1e-9  # of five points that determine a scale, see `faces.align.similarity`


def needs_detector(manifest: Manifest, align: str) -> bool:
    """Return whether any image is to be aligned for which the dataset ships no landmarks.

    Args:
        manifest: Rows before the face stage.
        align: `auto`, `none` or `five`.
    """
    return bool((_to_align(manifest, align) & ~has_points(manifest)).any())


def with_remedy(error: FerdataError) -> FerdataError:
    """Add to a detector's error how to build without landmarks on purpose."""
    return type(error)(
        f"{error} Its landmarks are needed to align images; to store whole images instead, use "
        "--landmarks none --align none."
    )


def record_split_fallbacks(manifest: Manifest, asked: str, resolved: SplitRules) -> Manifest:
    """Record which datasets `auto` splits otherwise than by their authors or by subject.

    Args:
        manifest: Source images.
        asked: The split rules as given.
        resolved: The rules that `auto` was resolved to.
    """
    rules = parse_rules(asked)
    automatic = [
        name
        for name in sorted(set(manifest.strings("dataset")))
        if isinstance(rules.of(name), AutoRule)
    ]
    texts = [
        _SPLIT_TEXTS[type(resolved.of(name))].format(name)
        for name in automatic
        if type(resolved.of(name)) in _SPLIT_TEXTS
    ]
    return manifest.with_provenance("fallbacks", {"split": texts}) if texts else manifest


def fallback_notes(manifest: Manifest, align: str) -> Iterator[str]:
    """Yield what a build did instead of what was asked, one text each.

    Args:
        manifest: All rows of the build; of augmented copies, only what balancing recorded counts.
        align: `auto`, `none` or `five`.
    """
    yield from manifest.provenance.get("ingest", {}).get("decisions", ())
    yield from manifest.provenance.get("fallbacks", {}).get("split", ())
    yield from manifest.provenance.get("faces", {}).get("fallbacks", ())
    yield from _unbalanced(manifest)
    original = np.array([parent is None for parent in manifest.column("parent_id")], bool)
    to_align = _to_align(manifest, align) & original
    whole = to_align & ~_can_be_aligned(manifest)
    framings = np.array(manifest.column("framing"), object)
    for framing, name in _PLURAL.items():
        count = int((whole & (framings == framing)).sum())
        if count:
            total = int((to_align & (framings == framing)).sum())
            yield f"{count:,} of {total:,} {name} have no landmarks and are stored whole, unaligned"


def _unbalanced(manifest: Manifest) -> Iterator[str]:
    """Yield which classes have fewer images than balancing was to give them."""
    balance = manifest.provenance.get("balance", {})
    for label, missing in balance.get("short", {}).items():
        target = balance["after"][label] + missing
        yield (
            f"{label} is {missing:,} images short of its target of {target:,}, since max_copies is "
            f"{balance['max_copies']}"
        )


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
