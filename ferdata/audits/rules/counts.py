"""Numbers that can't be: sums, another dataset's counts, accuracies that are no k of n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ferdata.audits.disk_splits import split_columns
from ferdata.audits.findings import Finding
from ferdata.audits.known_counts import doubts
from ferdata.audits.printed import Claim, read_table
from ferdata.audits.rule import rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.errors import OptionError
from ferdata.core.schema import SPLITS
from ferdata.evaluation.metrics import wilson_interval

_BYTES = 4  # of a parameter in float32
_ROUNDING = 5e-4  # of a reported accuracy


@rule(
    "counts",
    severity="error",
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
    for text in subject.options.claim:
        yield from _claim(subject, Claim.parse(text))
    if subject.options.table is not None:
        yield from _table(subject)


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


def _claim(subject: AuditSubject, claim: Claim) -> Iterator[Finding]:
    """Judge a printed number: an accuracy by the number of images, a size by the run's model."""
    if claim.unit != "%":
        yield _size(subject, claim)
        return
    sizes = {name: int(subject.in_split(name).sum()) for name in subject.present()}
    sizes = sizes or {"all": int(subject.sources.sum())}
    split = "test" if "test" in sizes else next(reversed(sizes))
    n = sizes[split]
    fitting = {name: k for name, rows in sizes.items() if (k := claim.correct(rows)) is not None}
    details: dict[str, int | float | None] = {f"n of {name}": rows for name, rows in sizes.items()}
    smallest = claim.smallest()
    details["smallest n"] = smallest
    if (k := fitting.get(split)) is not None:
        low, high = wilson_interval(k, n)
        anyway = " Any value is, on so many." if claim.always_fits(n) else ""
        yield counts.finding(
            severity="note",
            subject=split,
            title=f"{claim.text} % is {k:,} of {n:,} {split} images; 95 % interval {low:.2%} to "
            f"{high:.2%}.{anyway}",
            count=k,
            of=n,
            measure="correct predictions",
            value=float(k),
            means="The number can be an accuracy on this split.",
            remedy="Print the interval and the number of images beside it.",
            details=details | {"k": k, "low": low, "high": high},
        )
        return
    others = [
        f"{name} ({k:,} of {sizes[name]:,})"
        for name, k in fitting.items()
        if not claim.always_fits(sizes[name])
    ]
    also = f"; it could be on {', '.join(others)}" if others else ""
    least = f" The smallest split that gives it has {smallest:,} images." if smallest else ""
    yield counts.finding(
        subject=split,
        title=f"{claim.text} % is no k of {n:,} {split} images{also}.{least}",
        count=n,
        of=n,
        measure="printed accuracy",
        value=float(claim.value),
        remedy="Ask on which images it was computed: another split, a mean of runs, or a slip.",
        details=details,
    )


def _size(subject: AuditSubject, claim: Claim) -> Finding:
    """Compare a printed model size with the run's model.

    Raises:
        OptionError: No run is audited.
    """
    results = subject.run.record.results if subject.run else None
    if results is None:
        raise OptionError(f"--claim {claim.text}: a model's size is checked on a finished run")
    millions, megabytes = results.parameters / 1e6, results.parameters * _BYTES / 2**20
    right = claim.matches(millions if claim.unit == "M" else megabytes)
    swapped = claim.matches(megabytes if claim.unit == "M" else millions)
    own = f"{millions:.2f} M parameters, {megabytes:.2f} MB in float32"
    if right:
        text = f"{claim.text} agrees with the model: {own}"
    elif swapped:
        other = "megabytes" if claim.unit == "M" else "millions of parameters"
        text = f"{claim.text} has the wrong unit, the number is that of {other}: {own}"
    else:
        text = f"{claim.text} is not the size of this model: {own}"
    return counts.finding(
        severity="note" if right else "error",
        subject="model",
        title=f"{text}.",
        unit="parameters",
        count=results.parameters,
        of=results.parameters,
        measure="parameters in millions",
        value=millions,
        means="A number of parameters and a size in bytes differ by a factor of four.",
        remedy="Print both, with their units.",
        details={"parameters": results.parameters, "megabytes": megabytes},
    )


def _table(subject: AuditSubject) -> Iterator[Finding]:
    """Judge a printed table of counts."""
    path = subject.options.table
    if path is None:
        return
    table = read_table(path)
    for column, total in table.column_totals.items():
        rows = table.columns.get(column) or table.row_totals
        yield from _sum(f"{path.name}: {column}", rows, total)
    for name, total in table.row_totals.items():
        yield from _sum(
            f"{path.name}: {name}",
            {head: rows[name] for head, rows in table.columns.items()},
            total,
        )
    for doubt in doubts(subject.about.name, table.columns):
        yield _about_all(
            subject,
            f"{path.name}: {doubt.text}",
            subject=path.name,
            measure="printed counts against known datasets",
        )
    here = subject.counts_by_split()
    for column, rows in table.columns.items():
        found = here.get(column)
        if found is None:
            continue
        off = {
            name: number - found.get(name, 0)
            for name, number in rows.items()
            if number != found.get(name, 0)
        }
        if off:
            name, by = max(off.items(), key=lambda each: abs(each[1]))
            yield counts.finding(
                severity="warning",
                subject=column,
                title=f"{path.name} prints other numbers of {column} than there are: {len(off)} "
                f"classes differ, most {name} ({rows[name]:,} printed, {found.get(name, 0):,} "
                "here).",
                unit="classes",
                count=len(off),
                of=len(rows),
                measure="images by which printed and audited counts differ",
                value=float(abs(by)),
                threshold=0.0,
                details=off,
            )


def _sum(where: str, parts: Mapping[str, int], total: int) -> Iterator[Finding]:
    added = sum(parts.values())
    if added != total:
        yield counts.finding(
            subject=where,
            title=f"{where} adds up to {added:,}, but {total:,} is printed.",
            count=abs(added - total),
            of=max(total, added),
            measure="images by which a sum is off",
            value=float(added - total),
            threshold=0.0,
            details={"sum": added, "printed": total},
        )


__all__ = ["OptionError", "counts"]
