"""Faces upside down: flipped top to bottom, which no camera does to a face."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from ferdata.audits.columns import Mask
from ferdata.audits.findings import Finding
from ferdata.audits.rule import Need, NotApplicableError, rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.list_columns import vectors
from ferdata.core.perceptual import NEAR_THRESHOLD, near_pairs

_FLIPS = ("vertical_flip", "VerticalFlip")


@rule(
    "vertical-flip",
    severity="error",
    wants=(Need.FACES, Need.IMAGES),
    finds="faces upside down, and augmentation that flips top to bottom",
    means="No face that a model will meet is upside down: its capacity goes into images that do "
    "not occur, and expressions change (a smile upside down is a frown).",
    remedy="Remove the images, and the vertical flip from the augmentation; use `horizontal_flip`.",
)
def vertical_flip(subject: AuditSubject) -> Iterator[Finding]:
    """Find upside-down faces by landmarks, by hashes and by the operations that were asked for."""
    yield from _asked(subject)
    seen = _by_points(subject) | _by_hash(subject)
    if subject.upside_down is not None:
        seen |= subject.upside_down
    seen &= subject.sources
    count, total = int(seen.sum()), int(subject.sources.sum())
    if count:
        yield vertical_flip.finding(
            subject="all",
            title=f"{count:,} of {total:,} images ({count / total:.1%}) show a face upside down.",
            count=count,
            of=total,
            measure="share of images upside down",
            value=count / total,
            threshold=0.0,
            examples=subject.examples(np.flatnonzero(seen)),
        )
    elif subject.measures is None and not subject.faces_known and not _has_operations(subject):
        raise NotApplicableError("the images were not opened, and no augmentation is recorded")


def _asked(subject: AuditSubject) -> Iterator[Finding]:
    """Find vertical flips among recorded operations."""
    operations = subject.table.column("operations")
    flipped = np.zeros(len(subject), bool)
    for name in _FLIPS:
        matched = pc.match_substring(operations, f'"{name}"')
        flipped |= np.asarray(pc.fill_null(matched, False).to_numpy())
    if count := int(flipped.sum()):
        total = int((~subject.sources).sum())
        yield vertical_flip.finding(
            subject="augmentation",
            title=f"{count:,} of {total:,} augmented copies are flipped top to bottom.",
            unit="copies",
            count=count,
            of=total,
            measure="share of augmented copies flipped top to bottom",
            value=count / total,
            threshold=0.0,
            examples=subject.examples(np.flatnonzero(flipped)),
        )
    if subject.run and any(
        name in json.dumps(subject.run.record.options.augment) for name in _FLIPS
    ):
        yield vertical_flip.finding(
            subject="run",
            title="The run flips images top to bottom while training (--augment).",
            unit="runs",
            count=1,
            of=1,
            measure="vertical flip among the run's operations",
        )


def _has_operations(subject: AuditSubject) -> bool:
    return not subject.sources.all() or subject.run is not None


def _by_points(subject: AuditSubject) -> Mask:
    """Tell where the mouth is clearly above the eyes."""
    five = vectors(subject.table.column("five_points")).reshape(-1, 5, 2)
    eyes, mouth = five[:, :2].mean(axis=1), five[:, 3:].mean(axis=1)
    with np.errstate(invalid="ignore"):
        down = mouth[:, 1] - eyes[:, 1]
        return np.asarray(down < -0.5 * np.linalg.norm(mouth - eyes, axis=1))


def _by_hash(subject: AuditSubject) -> Mask:
    """Tell which images are others exchanged top and bottom: the one without a face of a pair."""
    found = np.zeros(len(subject), bool)
    measures = subject.measures
    if measures is None:
        return found
    n = len(subject)
    pairs, _ = near_pairs(np.concatenate((measures.upright, measures.upside_down)), NEAR_THRESHOLD)
    first, second = pairs.T
    crossing = (first < n) & (second >= n) & (first != second - n)
    one, other = first[crossing], second[crossing] - n
    if subject.faces_known:
        source = subject.table.column("landmark_source")
        faceless = np.asarray(pc.fill_null(pc.equal(source, "none"), True).to_numpy())
        one, other = one[faceless[one] != faceless[other]], other[faceless[one] != faceless[other]]
        found[np.where(faceless[one], one, other)] = True
    else:  # which of the two is upright is not known; copies come later in their list
        found[np.maximum(one, other)] = True
    return found
