"""Fallbacks: what a build did instead of what was asked, and when it must stop instead.

Alignment needs landmarks. If the detector can't run at all, the build stops. Individual images in
which no plausible face is found are placed by the median of their set and counted.
"""

from __future__ import annotations

from collections import Counter
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
from ferdata.curation.label_patches import patch_notes
from ferdata.faces.class_counts import share_changes
from ferdata.faces.face_rows import FaceRows
from ferdata.faces.locate import has_points
from ferdata.faces.set_alignment import SetAlignment, alignment_kind

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


def fallback_notes(manifest: Manifest, alignment: SetAlignment) -> Iterator[str]:
    """Yield what a build did instead of what was asked, one text each.

    Args:
        manifest: All rows of the build; of augmented copies, only what balancing recorded counts.
        alignment: How they are aligned.
    """
    yield from manifest.provenance.get("ingest", {}).get("decisions", ())
    yield from patch_notes(manifest.provenance.get("labels", {}))
    yield from manifest.provenance.get("fallbacks", {}).get("split", ())
    yield from _unbalanced(manifest)
    faces = manifest.provenance.get("faces", {})
    yield from faces.get("fallbacks", ())
    if changes := share_changes(faces.get("by_class", {})):
        would = "changes" if faces.get("require_face") else "would change"
        yield f"--require-face {would} class shares by more than a tenth: {', '.join(changes)}"
    original = np.array([parent is None for parent in manifest.column("parent_id")], bool)
    yield from _findings(manifest, original)
    to_align = _to_align(manifest, alignment.align) & original
    rows = FaceRows.of(manifest)
    pointless = to_align & ~rows.known
    for dataset, framing, mask in rows.sets():
        if count := int((pointless & mask).sum()):
            total, name = int((to_align & mask).sum()), f"{_PLURAL[framing]} of {dataset}"
            how = (
                "stored whole, unaligned"
                if alignment.place(framing, dataset) is None
                else "placed by the median of the others"
            )
            yield f"{count:,} of {total:,} {name} have no usable landmarks and are {how}"


def _findings(manifest: Manifest, original: npt.NDArray[np.bool_]) -> Iterator[str]:
    """Say which faces are implausible."""
    findings = Counter(manifest.strings("face_finding")[original])
    del findings[None]
    if findings:
        listed = ", ".join(f"{count:,} × {what}" for what, count in sorted(findings.items()))
        yield f"faces that are implausible and not aligned by: {listed}"


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
