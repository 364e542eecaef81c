"""Images in which a face is found better, or only, when they are turned over, top to bottom."""

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

_UNSURE = 0.8
"""Score of a detection below which the image is turned over.

On 90 synthetic faces at 64, 112 and 200 pixels, scores are 0.87 to 0.95; upside down, no
face is found in 53 of them, and in the others one with a score of 0.62 to 0.75."""

_BETTER = 0.1  # by which the score rises when the image is turned over

_MOST = 2000
"""Images that are turned over, spread over all that are unsure: 12 ms each."""


def find_upside_down(manifest: Manifest, *, quiet: bool) -> npt.NDArray[np.bool_] | None:
    """Detect once more, turned over, in images without a face or with one of a low score.

    Args:
        manifest: Rows in whose images faces were looked for, with the roots of their datasets.
        quiet: Show no progress.

    Returns:
        bool (N,); None if the detector can't run.
    """
    scores = _scores(manifest)
    unsure = np.flatnonzero(scores < _UNSURE)
    found = np.zeros(len(manifest), bool)
    if not unsure.size:
        return found
    chosen = unsure[:: -(-len(unsure) // _MOST)]
    rows = manifest.table.select(["dataset", "uri"]).take(chosen).to_pylist()
    try:
        detector = DETECTORS.get(DEFAULT_DETECTOR)(score=True, blendshapes=False)
        detector.prepare(quiet=quiet)
    except CANNOT_RUN:
        return None
    with detector, progress_bar("looking upside down", len(chosen), quiet=quiet) as bar:
        for row, each in zip(chosen, rows, strict=True):
            bar.update(1)
            try:
                pixels = read_image(manifest.roots[each["dataset"]], each["uri"]).pixels
            except ImageError:
                continue
            face = detector.detect(np.ascontiguousarray(pixels[::-1]))
            if face is None or (face.score or 0.0) < max(scores[row] + _BETTER, _UNSURE):
                continue
            five = np.asarray(detector.scheme.to_five(face.landmarks), np.float64)
            found[row] = not wrong_order(five[None])[0]
    return found


def _scores(manifest: Manifest) -> npt.NDArray[np.float64]:
    """Return the detector's scores, 0 without a face, 1 where it was not asked, (N,)."""
    table = manifest.table
    scores = pc.fill_null(table.column("face_score"), 1.0).to_numpy().astype(np.float64)
    none = pc.fill_null(pc.equal(table.column("landmark_source"), "none"), False)
    return np.where(none.to_numpy(), 0.0, scores)
