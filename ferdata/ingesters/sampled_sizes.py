"""The size of a copy's images, seen on a few of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ferdata.core.errors import ImageError
from ferdata.core.images import read_image
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.tree import FileTree

_SAMPLED = 24
"""Images that are read, evenly spread over a copy."""

_MOST = 0.75
"""Fraction of them that must have the size; strays may lie between."""

_COLOR = 8  # gray levels by which channels of a gray JPEG may differ


def evidence_of_size(
    tree: FileTree, paths: Sequence[str], side: int, *, gray: bool = False
) -> tuple[Evidence, ...]:
    """Say whether most images are squares of a size; empty if not.

    Args:
        tree: The files.
        paths: The images; some, spread evenly, are read.
        side: Width and height in pixels.
        gray: Whether they must also be gray.
    """
    sample = paths[:: max(len(paths) // _SAMPLED, 1)][:_SAMPLED]
    alike = [_is_alike(tree, path, side, gray=gray) for path in sample]
    if not alike or alike.count(True) < _MOST * len(alike):
        return ()
    what = f"{side}×{side} pixels{', gray' if gray else ''}"
    text = f"{alike.count(True)} of {len(alike)} sampled images have {what}"
    return (Evidence(Sign.SIZE, text),)


def _is_alike(tree: FileTree, path: str, side: int, *, gray: bool) -> bool:
    """Say whether an image is a square of a size; False if it can't be read."""
    try:
        pixels = read_image(tree.root, path).pixels
    except ImageError:
        return False
    if pixels.shape[:2] != (side, side):
        return False
    return not gray or int(np.ptp(pixels.astype(np.int16), axis=2).max()) <= _COLOR
