"""Leaks by group: a person or a sequence in two splits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ferdata.audits.columns import Codes
from ferdata.audits.findings import MOST_EXAMPLES, Example, Finding
from ferdata.audits.rule import Need, NotApplicableError, Rule, rule
from ferdata.audits.subject import AuditSubject
from ferdata.curation.groups import SEQUENCE, SUBJECT

_REMEDY = (
    "Split by person: `ferdata build … --split subject:8:1:1`, or `subject-kfold:10` for sets with "
    "few people. Report no score on this split."
)


@rule(
    "leak-subject",
    severity="error",
    needs=(Need.SPLITS,),
    finds="a person in two splits, with rates both ways",
    means="The model has seen the people that it is tested on: the score says how well it "
    "recognizes them, not how well it recognizes expressions of new people.",
    remedy=_REMEDY,
)
def leak_subject(subject: AuditSubject) -> Iterator[Finding]:
    """Find subjects in several splits."""
    yield from _shared(subject, leak_subject, SUBJECT, "subject")


@rule(
    "leak-sequence",
    severity="error",
    needs=(Need.SPLITS,),
    finds="frames of one sequence in two splits, with rates both ways",
    means="Neighboring frames are nearly equal: the test measures memory.",
    remedy=_REMEDY,
)
def leak_sequence(subject: AuditSubject) -> Iterator[Finding]:
    """Find sequences in several splits."""
    yield from _shared(subject, leak_sequence, SEQUENCE, "sequence")


def _shared(
    subject: AuditSubject, which: Rule, columns: tuple[str, ...], what: str
) -> Iterator[Finding]:
    number = np.where(subject.sources, subject.codes(*columns), -1)
    if not (number >= 0).any():
        raise NotApplicableError(f"no {what} is known of any image")
    for first, second in subject.pairs():
        here = subject.in_split(first) & (number >= 0)
        there = subject.in_split(second) & (number >= 0)
        both = np.intersect1d(number[here], number[there])
        if not both.size:
            continue
        met = there & np.isin(number, both)
        back = here & np.isin(number, both)
        total, all_there = int(met.sum()), int(there.sum())
        groups = len(np.unique(number[there]))
        rate, rate_back = total / all_there, float(back.sum() / here.sum())
        yield which.finding(
            subject=f"{first}/{second}",
            title=f"{total:,} of {all_there:,} {second} images ({rate:.1%}) show a {what} that is "
            f"also in {first}; {len(both):,} of its {groups:,} {what}s. The other way, "
            f"{rate_back:.1%} of {first} images share a {what} with {second}.",
            count=total,
            of=all_there,
            measure=f"share of {second} images whose {what} is in {first}",
            value=rate,
            threshold=0.0,
            examples=_examples(subject, number, both, first, second),
            details={
                f"{second} in {first}": rate,
                f"{first} in {second}": rate_back,
                f"{what}s shared": len(both),
                f"{what}s in {second}": groups,
                f"{second} images without {what}": int(
                    (subject.in_split(second) & (number < 0)).sum()
                ),
            },
        )


def _examples(
    subject: AuditSubject, number: Codes, shared: Codes, first: str, second: str
) -> tuple[Example, ...]:
    """Return one image of each split for some of the shared groups."""
    found = []
    for group in shared[:MOST_EXAMPLES]:
        rows = [
            int(np.flatnonzero(subject.in_split(name) & (number == group))[0])
            for name in (first, second)
        ]
        found.append(subject.example(rows))
    return tuple(found)
