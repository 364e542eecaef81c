"""Images in which a face is found only when they are turned over, top to bottom."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ferdata.core.errors import ImageError
from ferdata.core.images import read_image
from ferdata.core.manifest import Manifest
from ferdata.core.progress import progress_bar
from ferdata.faces.detectors import CANNOT_RUN, DEFAULT_DETECTOR, DETECTORS
from ferdata.faces.plausible import wrong_order

_MOST = 2000
"""Faceless images that are looked at, spread over all of them: 12 ms each."""


def find_upside_down(manifest: Manifest, *, quiet: bool) -> npt.NDArray[np.bool_] | None:
    """Detect in the faceless images once more, turned over.

    Args:
        manifest: Rows in whose images faces were looked for, with the roots of their datasets.
        quiet: Show no progress.

    Returns:
        bool (N,); None if the detector can't run.
    """
    source = manifest.table.column("landmark_source")
    faceless = np.flatnonzero(pc.fill_null(pc.equal(source, "none"), False).to_numpy())
    found = np.zeros(len(manifest), bool)
    if not faceless.size:
        return found
    chosen = faceless[:: -(-len(faceless) // _MOST)]
    rows = manifest.table.select(["dataset", "uri"]).take(chosen).to_pylist()
    try:
        detector = DETECTORS.get(DEFAULT_DETECTOR)(score=False, blendshapes=False)
        detector.prepare(quiet=quiet)
    except CANNOT_RUN:
        return None
    with detector, progress_bar("looking upside down", len(chosen), quiet=quiet) as bar:
        for row, each in zip(chosen, rows, strict=True):
            try:
                pixels = read_image(manifest.roots[each["dataset"]], each["uri"]).pixels
            except ImageError:
                continue
            face = detector.detect(np.ascontiguousarray(pixels[::-1]))
            if face is not None:
                five = np.asarray(detector.scheme.to_five(face.landmarks), np.float64)
                down = five[3:, 1].mean() - five[:2, 1].mean()
                found[row] = bool(down > 0 and not wrong_order(five[None])[0])
            bar.update(1)
    return found
