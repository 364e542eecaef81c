"""The size of a copy's images, seen on a few of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ferdata.core.errors import ImageError
from ferdata.core.images import read_image
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.tree import FileTree

_SAMPLED = 8
_COLOR = 8  # gray levels by which channels of a gray JPEG may differ


def evidence_of_size(
    tree: FileTree, paths: Sequence[str], side: int, *, gray: bool = False
) -> tuple[Evidence, ...]:
    """Say whether images are squares of a size; empty if not, or if none can be read.

    Args:
        tree: The files.
        paths: The images; some, spread evenly, are read.
        side: Width and height in pixels.
        gray: Whether they must also be gray.
    """
    step = max(len(paths) // _SAMPLED, 1)
    read = 0
    for path in paths[::step][:_SAMPLED]:
        try:
            pixels = read_image(tree.root, path).pixels
        except ImageError:
            continue
        if pixels.shape[:2] != (side, side):
            return ()
        if gray and int(np.ptp(pixels.astype(np.int16), axis=2).max()) > _COLOR:
            return ()
        read += 1
    if not read:
        return ()
    what = f"{side}×{side} pixels{', gray' if gray else ''}"
    return (Evidence(Sign.SIZE, f"all of {read} sampled images have {what}"),)
