"""Quality: blank, dark, bright, blurred, small, enlarged from smaller, compressed before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ferdata.audits.columns import Mask
from ferdata.audits.findings import MOST_EXAMPLES, Example, Finding
from ferdata.audits.image_measures import ImageMeasures
from ferdata.audits.rule import Need, NotApplicableError, rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.findings import FINDINGS
from ferdata.data.build import Build

_HARMLESS = {"decoder-warning", "deep", "box-cut", "box-dropped", "landmarks-dropped"}
"""Findings about an image that say nothing about its looks, or that other rules judge."""

_MANY = 0.05

ENLARGED = 0.24
"""Median detail below which a set is enlarged or blurred, see `ImageMeasures.detail`.

Measured on 12 synthetic faces (`ferdata.synth`) and a real one (scikit-image's astronaut) at 48,
100 and 224 pixels: median 0.36 to 0.45 as they are and as JPEG of quality 30 to 95; 0.10 to 0.22
enlarged from 48, 100 and 112 pixels by 2 to 4.7, linear, cubic and Lanczos, also as JPEG 75; 0.11
to 0.12 after a Gaussian blur of 1.2 pixels. Less can't be seen for sure: 0.20 to 0.26 enlarged by
1.6, 0.32 to 0.41 by 1.12. Synthetic copies of RAF-DB, FER2013 and CK+48 have 0.35 to 0.53."""

REPEATED = 0.05
"""Repeats below which pixels were repeated: 0.00 where they were, 0.23 and more elsewhere."""

BLOCKS, GOOD_QUALITY = 0.3, 88.0
"""Block steps from which a file was compressed strongly, whatever its own quality says: at 100 and
224 pixels 0.25 at most as JPEG 90, 0.40 to 0.65 as JPEG 50 and 30 saved again as JPEG 90."""

_FACTOR = 1.5  # by which a build enlarges images

_LEAST = 30  # images of a part that are judged together


@rule(
    "quality",
    severity="warning",
    needs=(Need.IMAGES,),
    finds="images that are blank, dark, bright, blurred, small or damaged; sets enlarged from "
    "smaller images or compressed before",
    means="There is less on the images than their size says: a blank one carries a label of "
    "nothing, and enlarged ones can't be compared with originals of that size.",
    remedy="Drop blank images (the default of `ferdata build`); use the original files.",
)
def quality(subject: AuditSubject) -> Iterator[Finding]:
    """Judge images one by one, by what reading them noted, and the set as a whole."""
    if subject.measures is None and not subject.has_any_quality:
        raise NotApplicableError("the images were not opened")
    total = int(subject.sources.sum())
    yield from _rejected(subject, total)
    for name in FINDINGS:
        rows = subject.has_quality(name) & subject.sources
        if name in _HARMLESS or not (count := int(rows.sum())):
            continue
        value = subject.quality_measure(name)[rows]
        details = {"median": float(np.nanmedian(value))} if np.isfinite(value).any() else {}
        yield quality.finding(
            severity="warning" if name == "blank" or count / total >= _MANY else "note",
            subject=name,
            title=f"{count:,} of {total:,} images ({count / total:.1%}) are {_WORDS[name]}.",
            count=count,
            of=total,
            measure=f"share of images: {FINDINGS[name].partition(';')[0]}",
            value=count / total,
            threshold=_MANY,
            examples=subject.examples(np.flatnonzero(rows)),
            details=details,
        )
    if subject.build is not None:
        yield from _enlarged_by_build(subject, subject.build)
    elif subject.measures is not None:
        yield from _enlarged(subject, subject.measures)
        yield from _compressed(subject, subject.measures)


_WORDS = {
    "blank": "blank",
    "partly-uniform": "of one color along an edge",
    "dark": "very dark",
    "bright": "very bright",
    "blurred": "blurred",
    "small": "smaller than 48 pixels",
    "damaged": "damaged files",
    "scans-missing": "progressive JPEGs without their last scans",
    "zero-tail": "files that end in zeros",
    "turned": "turned by Exif, which is not applied",
    "transparent": "transparent in part",
}


def _rejected(subject: AuditSubject, total: int) -> Iterator[Finding]:
    """Count what could not be used: images that can't be read, rows that are none."""
    for stage, severity, words in (
        ("faces", "warning", "images can't be read"),
        ("ingest", "note", "rows or files are no images with a label of this set"),
    ):
        rejects = [each for each in subject.manifest.rejects if each.stage == stage]
        if not rejects:
            continue
        kinds = Counter(each.reason.partition(":")[0] for each in rejects)
        listed = ", ".join(f"{count:,} × {kind}" for kind, count in kinds.most_common(3))
        yield quality.finding(
            severity=severity,
            subject="unreadable" if stage == "faces" else "rejects",
            title=f"{len(rejects):,} {words}: {listed}.",
            count=len(rejects),
            of=total + len(rejects),
            measure=f"share of what is there: {words}",
            value=len(rejects) / (total + len(rejects)),
            threshold=0.0,
            remedy="Get whole files; every build lists them with the reason in rejects.parquet.",
            examples=tuple(
                Example(samples=(each.sample_id,), uris=(each.uri,), text=each.reason)
                for each in rejects[:MOST_EXAMPLES]
            ),
            details=dict(kinds),
        )


def _parts(subject: AuditSubject, *, crops: bool = False) -> Iterator[tuple[str, Mask]]:
    """Yield the datasets, whose images are judged together; perhaps face crops only."""
    names, words = subject.words("dataset")
    framing = np.asarray(pc.equal(subject.table.column("framing"), "crop").to_numpy())
    for number, name in enumerate(words):
        rows = (names == number) & subject.sources & (framing | (not crops))
        if rows.sum() >= _LEAST:
            yield name, rows


def _median(values: npt.NDArray[np.float32], rows: Mask) -> float:
    chosen = values[rows]
    known = chosen[np.isfinite(chosen)]
    return float(np.median(known)) if len(known) >= _LEAST else float("nan")


def _enlarged(subject: AuditSubject, measures: ImageMeasures) -> Iterator[Finding]:
    """Find sets whose images hold no more detail than smaller ones."""
    for name, rows in _parts(subject, crops=True):
        detail, repeats = _median(measures.detail, rows), _median(measures.repeats, rows)
        repeated = repeats < REPEATED
        if not repeated and not detail < ENLARGED:
            continue
        value, limit = (repeats, REPEATED) if repeated else (detail, ENLARGED)
        small = (measures.repeats < REPEATED) if repeated else (measures.detail < ENLARGED)
        count, total = int((small & rows).sum()), int(rows.sum())
        side = subject.median_side(rows)
        yield quality.finding(
            subject="enlarged",
            title=f"{name}: images of {side} pixels hold no more than images of half the side: "
            + ("their pixels are repeated" if repeated else "they were enlarged or blurred")
            + f" ({count:,} of {total:,}).",
            count=count,
            of=total,
            measure="repeated rows and columns"
            if repeated
            else "median detail of the finest octave by that of the next",
            value=value,
            threshold=limit,
            remedy="Store the images at their true size (`--size 48` for FER2013) and let the "
            "model enlarge them: a twentieth of the disk space, the same content.",
            examples=subject.examples(np.flatnonzero(small & rows)),
        )


def _enlarged_by_build(subject: AuditSubject, build: Build) -> Iterator[Finding]:
    """Compare the size of a build's images with that of their sources."""
    stored = min(build.image.height, build.image.width)
    for name, rows in _parts(subject):
        side = subject.median_side(rows)
        if not side or stored / side < _FACTOR:
            continue
        total = int(rows.sum())
        yield quality.finding(
            subject="enlarged",
            title=f"{name}: images of {side} pixels were enlarged to {stored} by the build.",
            count=total,
            of=total,
            measure="stored by original side",
            value=stored / side,
            threshold=_FACTOR,
            remedy=f"Build with --size {side} and let the model enlarge the images.",
        )


def _compressed(subject: AuditSubject, measures: ImageMeasures) -> Iterator[Finding]:
    """Find sets whose pixels show a stronger compression than their files have."""
    own = np.nan_to_num(measures.jpeg_quality, nan=100.0) >= GOOD_QUALITY
    for name, rows in _parts(subject):
        judged = rows & own
        blocks = _median(measures.blocks, judged)
        if not blocks >= BLOCKS or _median(measures.repeats, judged) < REPEATED:
            continue
        strong = judged & (measures.blocks >= BLOCKS)
        yield quality.finding(
            severity="note",
            subject="compressed",
            title=f"{name}: {int(strong.sum()):,} of {int(judged.sum()):,} images show the blocks "
            "of an earlier, stronger JPEG compression than that of their files.",
            count=int(strong.sum()),
            of=int(judged.sum()),
            measure="median of the steps at 8×8 blocks by all steps",
            value=blocks,
            threshold=BLOCKS,
            remedy="Get the original files: a copy that was saved again has lost what can't be "
            "brought back.",
            examples=subject.examples(np.flatnonzero(strong)),
        )
