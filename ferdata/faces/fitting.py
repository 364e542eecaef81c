"""Choosing a build's template: as wide as its crops allow, so that little of an image is invented.

ArcFace's template shows more than tight crops hold. It is narrowed, and moved up or down, until an
average crop of every set fills the output but for `MOST_OUTSIDE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from ferdata.core.draws import rank
from ferdata.core.manifest import Manifest
from ferdata.faces.align import similarities, template
from ferdata.faces.face_rows import FaceRows, Floats
from ferdata.faces.outside import outside_shares
from ferdata.faces.places import median_place
from ferdata.faces.placing import image_matrix
from ferdata.faces.set_alignment import Border, EyeRange, MedianPlace, SetAlignment

MOST_OUTSIDE = 0.05
"""Largest part of a set's average crop that a fitted template leaves to the border."""

LEAST_MARGIN = -0.25
"""Margin of the narrowest template: the eyes are .63 of the side apart."""

_STEP = 0.01  # of margins and shifts
_RESERVE = 0.005  # for images that the template was not fitted to
_ROWS = 2000  # crops of a set that are looked at


def fit_alignment(
    manifest: Manifest,
    align: Literal["auto", "none", "five"],
    margin: float | None,
    border: Border,
) -> SetAlignment:
    """Decide how a build's images are aligned.

    Only source images of train count, if there are any, and the order of the rows does not matter.

    Args:
        manifest: Rows with their splits, as the face stage filled them in.
        align: The option.
        margin: Margin of the template; None: the largest up to 0 that fits the crops.
        border: What fills pixels outside the source.
    """
    rows = _training_images(manifest)
    wanted = SetAlignment(align=align, margin=margin or 0.0, border=border)
    ranges = _eye_ranges(manifest)
    known, places, crops = rows.known, [], []
    for dataset, framing, mask in rows.sets():
        chosen = rows.take(mask & known)
        if wanted.kind(framing) != "five" or not len(chosen):
            continue
        places.append(
            MedianPlace(
                dataset=dataset,
                framing=framing,
                images=len(chosen),
                five_points=median_place(chosen.points, chosen.sides),
                eyes=ranges.get(f"{dataset} {framing}"),
            )
        )
        if framing == "crop":
            crops.append(_Crops(chosen))
    fitted = wanted.model_copy(update={"places": tuple(places)})
    if not crops:
        return fitted
    margin, shift = _fit(crops, margin)
    return fitted.model_copy(update={"margin": margin, "shift": shift})


def outside_column(manifest: Manifest, alignment: SetAlignment, size: int) -> Floats:
    """Return the fraction of each row's output image that lies outside its source.

    Args:
        manifest: Rows as the face stage filled them in.
        alignment: How they are aligned.
        size: Side of the output, pixels.

    Returns:
        float64 (N,), rounded so that the last bits of a machine's arithmetic don't count.
    """
    rows = FaceRows.of(manifest)
    return np.round(outside_shares(matrices(rows, alignment, size), rows.sides, size), 4)


def matrices(rows: FaceRows, alignment: SetAlignment, size: int) -> Floats:
    """Return the map of each row from its source to the output, float64 (N, 2, 3)."""
    result = similarities(rows.points, template(size, alignment.margin, alignment.shift))
    aligned = np.array([alignment.kind(framing) == "five" for framing in rows.framing], bool)
    for row in np.flatnonzero(~aligned | ~np.isfinite(result).all(axis=(1, 2))):
        width, height = rows.sides[row].astype(int).tolist()
        framing, dataset = rows.framing[row], rows.dataset[row]
        points = rows.points[row]
        result[row] = image_matrix(
            alignment, points, width, height, size, framing=framing, dataset=dataset
        )
    return result


class _Crops:
    """Some crops of a set, aligned to the template without a margin in an output of side 1."""

    def __init__(self, rows: FaceRows) -> None:
        if len(rows) > _ROWS:
            ranks = [rank(0, f"template:{name}") for name in rows.sample_id]
            rows = rows.take(np.argsort(np.array(ranks, np.uint64), kind="stable")[:_ROWS])
        self._sides = rows.sides
        self._maps = similarities(rows.points, template(1))

    def centering_shift(self, margin: float) -> float:
        """Return the shift that brings the crops' middle to the output's, at the median."""
        middle = (self._sides - 1) / 2
        maps = self._placed(margin, 0.0)
        heights = (maps[:, 1, :2] * middle).sum(axis=1) + maps[:, 1, 2]
        return -float(np.median(heights))  # an output of side 1 has its middle at 0

    def mean_outside(self, margin: float, shift: float) -> float:
        """Return the part of an average crop's output that lies outside the crop."""
        shares = outside_shares(self._placed(margin, shift), self._sides, 1)
        return float(np.sort(shares).mean())  # sorted: the same in any order of rows

    def _placed(self, margin: float, shift: float) -> Floats:
        """Return the maps to a template with a margin and a shift."""
        scale = 1 / (1 + 2 * margin)
        maps = self._maps * scale
        maps[:, :, 2] += scale * (0.5 + margin) - 0.5
        maps[:, 1, 2] += shift
        return maps


def _fit(sets: Sequence[_Crops], margin: float | None) -> tuple[float, float]:
    """Return margin and shift of the widest template that fits every set."""
    steps = round(-LEAST_MARGIN / _STEP)
    margins = [0.0 - _STEP * step for step in range(steps + 1)] if margin is None else [margin]
    for tried in margins:
        shift, outside = _best_shift(sets, tried)
        if outside <= MOST_OUTSIDE - _RESERVE:
            break
    return round(tried, 4), shift


def _best_shift(sets: Sequence[_Crops], margin: float) -> tuple[float, float]:
    """Return the shift that invents least of the worst set, and that share; 0 where 0 will do."""
    centering = [one.centering_shift(margin) for one in sets]
    low, high = (round(limit / _STEP) for limit in (min(centering), max(centering)))
    found = []
    for step in sorted({0, *range(low, high + 1)}, key=abs):
        shift = round(step * _STEP, 4)
        outside = max(one.mean_outside(margin, shift) for one in sets)
        if shift == 0 and outside <= MOST_OUTSIDE - _RESERVE:
            return shift, outside
        found.append((outside, abs(shift), shift))
    outside, _, shift = min(found)
    return shift, outside


def _training_images(manifest: Manifest) -> FaceRows:
    """Return the source images of train, or all where train has none."""
    source = pc.is_null(manifest.table.column("parent_id")).to_numpy()
    train = source & (manifest.strings("split") == "train")
    return FaceRows.of(manifest).take(train if train.any() else source)


def _eye_ranges(manifest: Manifest) -> dict[str, EyeRange]:
    """Return the plausible distance of the eyes by `DATASET FRAMING`, from the face stage."""
    found = manifest.provenance.get("faces", {}).get("eye_ranges", {})
    return {name: (low, high) for name, (low, high) in found.items()}
