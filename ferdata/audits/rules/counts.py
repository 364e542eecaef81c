"""Numbers that can't be: sums, another dataset's counts, accuracies that are no k of n."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ferdata.audits.claims import judge_claim, judge_table
from ferdata.audits.disk_splits import split_columns
from ferdata.audits.findings import Finding
from ferdata.audits.known_counts import doubts
from ferdata.audits.printed import Claim
from ferdata.audits.rule import Need, rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.schema import SPLITS

_ROUNDING = 5e-4  # of a reported accuracy


@rule(
    "counts",
    severity="error",
    wants=(Need.RUN,),
    finds="sums that don't add up, another dataset's counts, a printed accuracy that is no k of n "
    "(`--claim 98.99`), a printed table that contradicts itself (`--table`)",
    means="Numbers that can't be come from another set, another split or a slip; what was computed "
    "with them is about something else than it says.",
    remedy="Find out which images the numbers are about before they are compared with any others.",
)
def counts(subject: AuditSubject) -> Iterator[Finding]:
    """Judge numbers."""
    for doubt in doubts(subject.about.name, subject.counts_by_split(), subject.root):
        if not doubt.mixed:
            yield _about_all(subject, doubt.text, measure="class counts against known datasets")
    yield from _published(subject)
    yield from _merged(subject)
    yield from _record(subject)
    yield from _evaluations(subject)
    for text in subject.options.claims:
        yield from judge_claim(subject, counts, Claim.parse(text))
    if subject.options.table is not None:
        yield from judge_table(subject, counts, subject.options.table)


def _about_all(audited: AuditSubject, text: str, *, measure: str, **more: Any) -> Finding:
    total = int(audited.sources.sum())
    words = {"subject": "all", "count": total, "of": total, "measure": measure}
    return counts.finding(title=text[0].upper() + text[1:].rstrip(".") + ".", **words | more)


def _published(subject: AuditSubject) -> Iterator[Finding]:
    """Report counts that differ from the published ones."""
    differences = subject.manifest.provenance.get("ingest", {}).get("count_differences", ())
    if not differences:
        return
    first = max(differences, key=lambda each: abs(each["found"] - each["published"]))
    off = sum(abs(each["found"] - each["published"]) for each in differences)
    total = int(subject.sources.sum())
    yield counts.finding(
        severity="warning",
        subject="all",
        title=f"{len(differences)} counts differ from the published ones, by {off:,} images; most "
        f"in {first['split']} {first['label']}: {first['found']:,} here, {first['published']:,} "
        "published.",
        count=min(off, total),
        of=total,
        measure="images by which counts differ from the published ones",
        value=float(off),
        threshold=0.0,
        remedy="A damaged, changed or partial copy: say so beside every number, or get the "
        "complete one.",
        details={
            f"{each['split']} {each['label']}": each["found"] - each["published"]
            for each in differences
        },
    )


def _merged(subject: AuditSubject) -> Iterator[Finding]:
    """Find a folder of one split that holds several official ones."""
    splits = split_columns(subject.table)
    for split in SPLITS:
        here = (splits.folders == SPLITS.index(split)) & subject.sources
        codes, numbers = np.unique(splits.official[here], return_counts=True)
        inside = {
            SPLITS[code]: int(rows) for code, rows in zip(codes, numbers, strict=True) if code >= 0
        }
        if len(inside) < 2:
            continue
        words, native = subject.words("split_native")
        named = sorted({native[code] for code in np.unique(words[here]) if code >= 0})
        words_of_it = f" ({', '.join(named)})" if len(named) > 1 else ""
        total = sum(inside.values())
        listed = " and ".join(f"{rows:,} of {name}" for name, rows in inside.items())
        yield counts.finding(
            severity="error" if split == "train" else "warning",
            subject=split,
            title=f"The folder {split} merges several official splits, {listed}"
            f"{words_of_it}: {total:,} images. A score on "
            "them compares with none on one of the official splits.",
            count=total,
            of=int(subject.sources.sum()),
            measure=f"official splits in the folder {split}",
            value=float(len(inside)),
            threshold=1.0,
            remedy="Tell them apart by their file names or lists, as `ferdata build` does.",
            details={f"official {name}": rows for name, rows in inside.items()},
        )


def _record(subject: AuditSubject) -> Iterator[Finding]:
    """Compare the sums of a build's record with each other and with its rows."""
    if subject.build is None:
        return
    for name, split in subject.build.splits.items():
        classes = sum(split.counts.values())
        rows = int(subject.in_split(name, sources=False).sum())
        if split.rows in {classes or split.rows} and split.rows == rows:
            continue
        yield counts.finding(
            subject=name,
            title=f"build.json says {split.rows:,} images of {name} and {classes:,} in its "
            f"classes; the manifest has {rows:,}.",
            count=abs(split.rows - rows) or abs(split.rows - classes),
            of=split.rows,
            measure="rows by which record and manifest differ",
            remedy="Run `ferdata verify`, and build again.",
        )


def _evaluations(subject: AuditSubject) -> Iterator[Finding]:
    """Recompute reported accuracies from their confusion matrices."""
    for each in subject.run.evaluations if subject.run else ():
        matrix = np.array(each.confusion or [[0]])
        total, hits = int(matrix.sum()), int(np.trace(matrix))
        if total and (total != each.n or abs(hits / total - each.accuracy) > _ROUNDING):
            yield counts.finding(
                subject=each.split or each.name,
                title=f"{each.name} reports {each.accuracy:.2%} of {each.n:,} images; its "
                f"confusion matrix has {hits:,} of {total:,}, {hits / total:.2%}.",
                count=abs(total - each.n) or total - hits,
                of=max(total, each.n),
                measure="accuracy by which report and confusion matrix differ",
                value=abs(hits / total - each.accuracy),
                threshold=_ROUNDING,
                remedy="Evaluate again: `ferdata eval`.",
            )
