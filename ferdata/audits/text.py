"""An audit's report as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from ferdata.audits.findings import AuditedSet, AuditReport, Example, Finding
from ferdata.core.tables import text_table

_WIDTH = 100
_INDENT = " " * 2
_SHOWN = 3  # examples of a finding


def report_text(report: AuditReport, *, brief: bool = False) -> str:
    """Return a report: what was audited, a table of findings, then each with remedy and examples.

    Args:
        report: The report.
        brief: Only the table, and the sentence of each finding.
    """
    return "\n".join(_lines(report, brief=brief))


def verdict(report: AuditReport) -> str:
    """Return the number of findings in words."""
    counts = report.counts
    parts = [f"{number} {name}{'s' * (number != 1)}" for name, number in counts.items() if number]
    return ", ".join(parts) if parts else "nothing found"


def _lines(report: AuditReport, *, brief: bool) -> Iterator[str]:
    yield from _set_lines(report.audited, "audited")
    if report.against is not None:
        yield from _set_lines(report.against, "against")
    yield ""
    if report.findings:
        heads = ("", "rule", "about", "count", "of", "share", "value", "from")
        yield text_table(heads, map(_cells, report.findings), align="lllrrrrr")
        yield ""
        for finding in report.findings:
            yield from _finding_lines(finding, brief=brief)
    yield from _outcome_lines(report)
    yield f"{verdict(report)[0].upper()}{verdict(report)[1:]}."


def _set_lines(each: AuditedSet, word: str) -> Iterator[str]:
    layout = f", {each.layout} layout" if each.layout else ""
    splits = ", ".join(
        f"{name or 'no split'} {sum(rows.values()):,}" for name, rows in each.splits.items()
    )
    yield f"{word}: {each.path} ({each.kind}: {each.name}{layout})"
    rejects = f", {each.rejects:,} rejects" if each.rejects else ""
    copies = f" ({each.copies:,} of them augmented copies)" if each.copies else ""
    yield f"{_INDENT}{each.rows:,} images{copies}: {splits}{rejects}"
    for note in each.notes:
        yield from _wrapped(note, first=f"{_INDENT}· ", rest=f"{_INDENT}  ")


def _cells(finding: Finding) -> tuple[str, ...]:
    return (
        finding.severity,
        finding.rule,
        finding.subject,
        f"{finding.count:,}",
        f"{finding.of:,} {finding.unit}",
        f"{finding.share:.1%}",
        "" if finding.value is None else f"{finding.value:.4g}",
        "" if finding.threshold is None else f"{finding.threshold:.4g}",
    )


def _finding_lines(finding: Finding, *, brief: bool) -> Iterator[str]:
    yield from _wrapped(finding.title, first=f"{finding.severity} {finding.rule}: ", rest=_INDENT)
    if brief:
        return
    for example in finding.examples[:_SHOWN]:
        yield from _wrapped(_example(example), first=f"{_INDENT}e.g. ", rest=f"{_INDENT}     ")
    if finding.severity != "note":
        yield from _wrapped(finding.means, first=f"{_INDENT}why: ", rest=f"{_INDENT}     ")
    yield from _wrapped(finding.remedy, first=f"{_INDENT}do:  ", rest=f"{_INDENT}     ")
    yield ""


def _example(example: Example) -> str:
    words = []
    for k, name in enumerate(example.samples):
        known = (*example.splits[k : k + 1], *example.labels[k : k + 1])
        said = ", ".join(filter(None, known))
        words.append(f"{name} ({said})" if said else name)
    text = f": {example.text}" if example.text else ""
    return " – ".join(words) + text


def _outcome_lines(report: AuditReport) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for each in report.rules:
        if each.outcome == "not applicable":
            reasons.setdefault(each.reason, []).append(each.rule)
    for reason, rules in reasons.items():
        yield from _wrapped(f"{', '.join(rules)}: {reason}", first="not applicable: ", rest=_INDENT)
    clean = [each.rule for each in report.rules if each.outcome == "clean"]
    if clean:
        yield from _wrapped(", ".join(clean), first="clean: ", rest=_INDENT)


def _wrapped(text: str, *, first: str, rest: str) -> Iterator[str]:
    flat = " ".join(text.split())
    yield from wrap(
        flat,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
