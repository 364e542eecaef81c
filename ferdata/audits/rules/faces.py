"""Faces: wrong landmarks, none, several, cut off."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ferdata.audits.columns import Mask
from ferdata.audits.findings import Finding
from ferdata.audits.rule import Need, Rule, rule
from ferdata.audits.rules.classes import p_words
from ferdata.audits.subject import AuditSubject
from ferdata.core.list_columns import vectors
from ferdata.faces.plausible import SET

_MANY_WRONG = 0.01
_MANY_FACELESS = 0.2
_UNEVEN = 0.001  # p-value of equal shares of faceless images in all classes
_MANY_SEVERAL = 0.05
_CUT = 0.1  # of a box or of a face's points outside the image
_MANY_CUT = 0.05


@rule(
    "wrong-landmarks",
    severity="warning",
    needs=(Need.FACES,),
    finds="landmarks that can't be a face's: outside, mirrored, in one place, off the box",
    means="Alignment by such points turns or cuts the face away; ferdata does not use them.",
    remedy="Detect them instead (`--landmarks` and the name of a detector); look at the examples "
    "for a shift or a swap of x and y in all of the file.",
)
def wrong_landmarks(subject: AuditSubject) -> Iterator[Finding]:
    """Find implausible landmarks, by what the face stage noted."""
    findings = subject.table.column("face_finding")
    wrong = np.asarray(
        pc.and_(pc.is_valid(findings), pc.fill_null(pc.not_equal(findings, SET), False)).to_numpy()
    )
    dropped = subject.has_quality("landmarks-dropped")
    yield from _share_of_images(
        subject,
        wrong_landmarks,
        wrong | dropped,
        "have landmarks that can't be right",
        worst_from=_MANY_WRONG,
        details={"given by the dataset": int((dropped & subject.sources).sum())},
    )


@rule(
    "no-face",
    severity="warning",
    needs=(Need.FACES,),
    finds="images without a face, and whether classes lose them unevenly",
    means="The image may show no face, or one that the detector misses: profiles, covered or very "
    "expressive faces. Requiring a face then changes the class shares.",
    remedy="Look at the examples; keep faceless images (the default) or say that `--require-face` "
    "dropped them, by class.",
)
def no_face(subject: AuditSubject) -> Iterator[Finding]:
    """Count images without landmarks, by class."""
    source = subject.table.column("landmark_source")
    none = np.asarray(pc.fill_null(pc.equal(source, "none"), True).to_numpy())
    asked = np.asarray(pc.is_valid(subject.table.column("face_count")).to_numpy())
    looked_at = subject.sources & (asked | ~none)
    none &= looked_at
    count, total = int(none.sum()), int(looked_at.sum())
    if not count:
        return
    missing, all_of_it = subject.counts(none), subject.counts(looked_at)
    known = all_of_it > 0
    shares = np.divide(missing, all_of_it, out=np.zeros(len(known)), where=known)
    p = _even(missing[known], all_of_it[known])
    names = np.array(subject.classes)
    most, least = (int(each) for each in (shares.argmax(), np.where(known, shares, 2).argmin()))
    uneven = p < _UNEVEN
    yield no_face.finding(
        severity="warning" if uneven or count / total >= _MANY_FACELESS else "note",
        subject="all",
        title=f"No face was found in {count:,} of {total:,} images ({count / total:.1%})"
        + (
            f", unevenly: {shares[most]:.1%} of {names[most]}, {shares[least]:.1%} of "
            f"{names[least]} ({p_words(p)})."
            if uneven
            else "."
        ),
        count=count,
        of=total,
        measure="share of images without a face",
        value=count / total,
        threshold=_MANY_FACELESS,
        examples=subject.examples(np.flatnonzero(none)),
        details={str(name): float(share) for name, share in zip(names, shares, strict=True)}
        | {"p": p},
    )


@rule(
    "several-faces",
    severity="warning",
    needs=(Need.FACES,),
    finds="images with several faces, of which only one is labeled",
    means="Which face the label is about is a guess: the one in the box, else the largest.",
    remedy="Use the dataset's boxes where it has some; look at the examples.",
)
def several_faces(subject: AuditSubject) -> Iterator[Finding]:
    """Count images with more than one face."""
    number = subject.table.column("face_count")
    several = np.asarray(pc.fill_null(pc.greater(number, 1), False).to_numpy())
    yield from _share_of_images(
        subject, several_faces, several, "show several faces", worst_from=_MANY_SEVERAL
    )


@rule(
    "face-cut",
    severity="warning",
    needs=(Need.FACES,),
    finds="faces that reach out of the image",
    means="Brows or mouth are missing, which is where the expression is.",
    remedy="Crop again with a margin from the original photographs, or drop the images.",
)
def face_cut(subject: AuditSubject) -> Iterator[Finding]:
    """Find faces of which points or a part of the box lie outside of the image."""
    table = subject.table
    sides = np.stack(
        [np.asarray(table.column(name).to_numpy(), np.float64) for name in ("width", "height")], 1
    )
    five = vectors(table.column("five_points")).reshape(-1, 5, 2)
    with np.errstate(invalid="ignore"):
        outside = ((five < 0) | (five > sides[:, None] - 1)).any(axis=(1, 2))
    boxes = subject.quality_measure("box-cut")
    cut = outside | (_points_outside(table, sides) > _CUT) | (np.nan_to_num(boxes) > _CUT)
    yield from _share_of_images(
        subject, face_cut, cut, "have a face that reaches out of them", worst_from=_MANY_CUT
    )


def _points_outside(table: pa.Table, sides: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the share of each image's landmarks outside of it, 0 without landmarks, (N,)."""
    column = table.column("landmarks").combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    points = column.flatten().flatten().to_numpy(zero_copy_only=False).reshape(-1, 2)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    beyond = ((points < 0) | (points > sides[rows])).any(axis=1)
    number = np.bincount(rows, beyond, minlength=len(lengths))
    return np.asarray(number / np.maximum(lengths, 1))


def _even(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> float:
    """Return the p-value of equal shares in all classes (chi-square test)."""
    if len(part) < 2 or not 0 < part.sum() < whole.sum():
        return 1.0
    from scipy.stats import chi2_contingency  # noqa: PLC0415 - slow to load

    return float(chi2_contingency(np.stack((part, whole - part))).pvalue)


def _share_of_images(
    subject: AuditSubject,
    which: Rule,
    rows: Mask,
    what: str,
    *,
    worst_from: float,
    details: dict[str, int] | None = None,
) -> Iterator[Finding]:
    """Return a finding about some images: a note below a share, else the rule's severity."""
    rows = rows & subject.sources
    count, total = int(rows.sum()), int(subject.sources.sum())
    if not count:
        return
    yield which.finding(
        severity=which.severity if count / total >= worst_from else "note",
        subject="all",
        title=f"{count:,} of {total:,} images ({count / total:.1%}) {what}.",
        count=count,
        of=total,
        measure=f"share of images that {what}",
        value=count / total,
        threshold=worst_from,
        examples=subject.examples(np.flatnonzero(rows)),
        details=details or {},
    )
