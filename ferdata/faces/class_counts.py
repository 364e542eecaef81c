"""Faces found per class, and what requiring a face does to the classes' shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FOUND, MISSING = "found", "missing"

ClassCounts = Mapping[str, Mapping[str, int]]
"""Images by class, with (`found`) and without (`missing`) a face."""

_LARGEST_CHANGE = 0.1
"""Relative change of a class's share from which a build says so."""


def count_by_class(
    classes: Iterable[str], labels: Iterable[str], found: Iterable[bool]
) -> dict[str, dict[str, int]]:
    """Count images with and without a face.

    Args:
        classes: All classes, in their order.
        labels: The class of each image.
        found: Whether it has a face.
    """
    counts = {name: {FOUND: 0, MISSING: 0} for name in classes}
    for label, there in zip(labels, found, strict=True):
        counts[label][FOUND if there else MISSING] += 1
    return counts


def share_changes(counts: ClassCounts) -> list[str]:
    """Name the classes whose share changes by more than a tenth when images without a face go.

    Returns:
        Phrases such as `fear 8.1% → 6.9%`.
    """
    images = sum(sum(each.values()) for each in counts.values())
    faces = sum(each[FOUND] for each in counts.values())
    if not faces or faces == images:
        return []
    changes = []
    for name, each in counts.items():
        before, after = sum(each.values()) / images, each[FOUND] / faces
        if abs(after - before) > _LARGEST_CHANGE * before:
            changes.append(f"{name} {before:.1%} → {after:.1%}")
    return changes
