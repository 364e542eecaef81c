"""What others print, judged by the data or the run at hand: accuracies, model sizes, tables.

Part of the rule `counts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ferdata.audits.findings import Finding
from ferdata.audits.known_counts import doubts
from ferdata.audits.printed import Claim, PrintedTable, read_table
from ferdata.audits.rule import Rule
from ferdata.audits.subject import AuditSubject
from ferdata.core.errors import OptionError
from ferdata.evaluation.metrics import wilson_interval

_BYTES = 4  # of a parameter in float32


def judge_claim(subject: AuditSubject, counts: Rule, claim: Claim) -> Iterator[Finding]:
    """Judge a printed number: an accuracy by the number of images, a size by the run's model."""
    if claim.unit != "%":
        yield _size(subject, counts, claim)
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


def _size(subject: AuditSubject, counts: Rule, claim: Claim) -> Finding:
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


def judge_table(subject: AuditSubject, counts: Rule, path: Path) -> Iterator[Finding]:
    """Judge a printed table of counts: its sums, whose counts they are, and those that are here."""
    table = read_table(path)
    for column, total in table.column_totals.items():
        rows = table.columns.get(column) or table.row_totals
        yield from _sum(counts, f"{path.name}: {column}", rows, total)
    for name, total in table.row_totals.items():
        yield from _sum(
            counts,
            f"{path.name}: {name}",
            {head: rows[name] for head, rows in table.columns.items()},
            total,
        )
    for doubt in doubts(subject.about.name, table.columns):
        printed = sum(sum(rows.values()) for rows in table.columns.values())
        yield counts.finding(
            subject=path.name,
            title=f"{path.name}: {doubt.text}.",
            count=printed,
            of=printed,
            measure="printed counts against known datasets",
        )
    yield from _against_set(subject, counts, table, path)


def _against_set(
    subject: AuditSubject, counts: Rule, table: PrintedTable, path: Path
) -> Iterator[Finding]:
    """Compare printed counts with those of the audited splits of the same names."""
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


def _sum(counts: Rule, where: str, parts: Mapping[str, int], total: int) -> Iterator[Finding]:
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
