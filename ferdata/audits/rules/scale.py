"""Faces of another size than those of their set, and sets whose faces differ in size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pyarrow.compute as pc

from ferdata.audits.findings import Finding
from ferdata.audits.rule import Need, rule
from ferdata.audits.subject import AuditSubject
from ferdata.faces.face_rows import FaceRows, Floats
from ferdata.faces.plausible import SET, eye_shares

_MANY = 0.02
_FACTOR = 1.15
"""Ratio of the median eye distances of two sets from which a model can tell them apart by it."""

_FEWEST = 20  # faces of a part


@rule(
    "odd-scale",
    severity="warning",
    needs=(Need.FACES,),
    finds="faces much larger or smaller than the others of their set, and datasets or splits whose "
    "faces differ in size",
    means="The size of a face tells which dataset or split an image is from, and a model learns it "
    "in place of the expression.",
    remedy="Bring all faces to one scale: `--align five`, which is the default for mixes.",
)
def odd_scale(subject: AuditSubject) -> Iterator[Finding]:
    """Judge the distance of the eyes as a share of the image's side."""
    odd = np.asarray(
        pc.fill_null(pc.equal(subject.table.column("face_finding"), SET), False).to_numpy()
    )
    odd &= subject.sources
    count, total = int(odd.sum()), int(subject.sources.sum())
    if count:
        yield odd_scale.finding(
            severity="warning" if count / total >= _MANY else "note",
            subject="all",
            title=f"{count:,} of {total:,} images ({count / total:.1%}) have a face of a size far "
            "from that of the others.",
            count=count,
            of=total,
            measure="share of faces of an odd size",
            value=count / total,
            threshold=_MANY,
            examples=subject.examples(np.flatnonzero(odd)),
        )
    yield from _between(subject)


def _between(subject: AuditSubject) -> Iterator[Finding]:
    """Compare the median eye distances of datasets, and of the splits of one dataset."""
    medians = _built(subject) or _shipped(subject)
    for first, second in combinations(medians, 2):
        low, high = sorted((medians[first], medians[second]))
        if high / low < _FACTOR:
            continue
        yield odd_scale.finding(
            subject=f"{first}/{second}",
            title=f"The eyes are {medians[first]:.2f} of the side apart in {first} and "
            f"{medians[second]:.2f} in {second} (medians): the size of the face tells them apart.",
            count=int(subject.sources.sum()),
            of=int(subject.sources.sum()),
            measure="ratio of the median eye distances",
            value=high / low,
            threshold=_FACTOR,
            details={first: medians[first], second: medians[second]},
        )


def _built(subject: AuditSubject) -> dict[str, float]:
    """Return the median of each dataset as a build stored it."""
    if subject.build is None:
        return {}
    scales = subject.build.record.summary.scales
    return {name: each.eyes for name, each in sorted(scales.items()) if each.eyes}


def _shipped(subject: AuditSubject) -> dict[str, float]:
    """Return the median of each dataset, of one dataset that of each split."""
    faces = FaceRows.of(subject.manifest)
    shares = eye_shares(faces.points, faces.sides)
    shares[~subject.sources] = np.nan
    names = sorted(set(faces.dataset.tolist()))
    if len(names) > 1:
        parts = {name: shares[faces.dataset == name] for name in names}
    else:
        parts = {name: shares[subject.in_split(name)] for name in subject.present()}
    return {name: value for name, each in parts.items() if (value := _median(each)) is not None}


def _median(shares: Floats) -> float | None:
    known = shares[np.isfinite(shares)]
    return float(np.median(known)) if len(known) >= _FEWEST else None
