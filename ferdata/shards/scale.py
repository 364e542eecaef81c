"""The scale of the faces in a build, set by set, and how much of its images is invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow.compute as pc

from ferdata.core.manifest import Manifest
from ferdata.faces.face_rows import FaceRows
from ferdata.faces.fitting import MOST_OUTSIDE, matrices
from ferdata.faces.set_alignment import SetAlignment
from ferdata.shards.record import SetScale

_TOLERANCE = 0.1
"""Relative difference from the middle of the sets up to which they count as of one scale."""


def set_scales(stored: Manifest, alignment: SetAlignment, size: int) -> dict[str, SetScale]:
    """Measure the scale of each dataset.

    Args:
        stored: The rows as stored, with `outside_share`; augmented copies don't count.
        alignment: How they are aligned.
        size: Side of the output, pixels.
    """
    original = pc.is_null(stored.table.column("parent_id")).to_numpy()
    rows = FaceRows.of(stored).take(original)
    maps = matrices(rows, alignment, size)
    enlarged = np.hypot(maps[:, 0, 0], maps[:, 1, 0])
    eyes = np.linalg.norm(rows.points[:, 1] - rows.points[:, 0], axis=1) * enlarged / size
    outside = stored.table.column("outside_share").to_numpy()[original]
    scales = {}
    for dataset in sorted(set(rows.dataset)):
        mask = rows.dataset == dataset
        known = eyes[mask & np.isfinite(eyes)]
        scales[dataset] = SetScale(
            eyes=round(float(np.median(known)), 3) if len(known) else None,
            outside=round(float(np.sort(outside[mask]).mean(dtype=np.float64)), 4),
        )
    return scales


def scale_notes(scales: Mapping[str, SetScale], border: str) -> Iterator[str]:
    """Yield what a model can tell the sets apart by, and where much of the images is invented."""
    eyes = {name: scale.eyes for name, scale in scales.items() if scale.eyes}
    middle = (min(eyes.values()) + max(eyes.values())) / 2 if eyes else 0.0
    if eyes and max(eyes.values()) > (1 + _TOLERANCE) * middle:
        listed = ", ".join(f"{name} {share:.2f}" for name, share in eyes.items())
        yield (
            "the datasets' faces differ in scale, so that a model can tell by it which one an "
            f"image is from (distance of the eyes as a fraction of the side: {listed}); "
            "--align five brings them to one scale"
        )
    for name, scale in scales.items():
        if scale.outside > MOST_OUTSIDE:
            yield (
                f"{scale.outside:.0%} of an average image of {name} lies outside its source and is "
                f"filled ({border})"
            )
