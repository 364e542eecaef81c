"""Gender, race and age by class: association, and the smallest cells."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ferdata.audits.findings import Finding
from ferdata.audits.rule import NotApplicableError, rule
from ferdata.audits.subject import AuditSubject

ATTRIBUTES = ("gender", "race", "age_group")

_ASSOCIATED = 0.1
"""Cramér's V from which an association counts, if its whole interval lies above."""

_SMALL_CELL = 10
Table = npt.NDArray[np.int64]


@rule(
    "attributes",
    severity="warning",
    finds="gender, race or age that goes with the class (Cramér's V with its interval), smallest "
    "cells",
    means="A model can learn who is shown in place of what is shown, and errs more on the groups "
    "that a class has few images of.",
    remedy="Report scores by group (`ferdata eval` does); weigh or collect images of the smallest "
    "cells.",
)
def attributes(subject: AuditSubject) -> Iterator[Finding]:
    """Judge each attribute that is known."""
    found = False
    for name in ATTRIBUTES:
        numbers, words = subject.words(name)
        known = subject.sources & (numbers >= 0)
        if len(words) < 2 or not known.any():
            continue
        found = True
        table = np.zeros((len(words), len(subject.classes)), np.int64)
        np.add.at(table, (numbers[known], subject.label[known]), 1)
        rows, columns = table.sum(axis=1) > 0, table.sum(axis=0) > 0
        yield from _attribute(
            subject,
            name,
            table[rows][:, columns],
            [words[k] for k in np.flatnonzero(rows)],
            [subject.classes[k] for k in np.flatnonzero(columns)],
        )
    if not found:
        raise NotApplicableError("neither gender, race nor age is known of the images")


@dataclass(frozen=True)
class Association:
    """Cramér's V of a table of counts, with a 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, table: Table) -> Association:
        """Compute it from the noncentrality of the chi-square statistic.

        V² = λ / (n · (min(R, C) − 1)), with λ estimated as χ² less its degrees of freedom
        (Bergsma's correction, J. Korean Stat. Soc. 42, 2013), and its interval by inverting the
        noncentral chi-square distribution (Smithson, Confidence Intervals, 2003, chapter 5).
        """
        from scipy.stats import chi2_contingency  # noqa: PLC0415 - slow to load

        result = chi2_contingency(table, correction=False)
        scale = table.sum() * (min(table.shape) - 1)
        estimate = max(0.0, float(result.statistic) - result.dof)
        low, high = (_noncentrality(result.statistic, result.dof, p) for p in (0.975, 0.025))
        return cls(*(math.sqrt(each / scale) for each in (estimate, low, high)))


def _noncentrality(statistic: float, freedom: int, p: float) -> float:
    """Return λ for which the statistic is the p-quantile of the noncentral distribution."""
    from scipy.optimize import brentq  # noqa: PLC0415 - slow to load
    from scipy.stats import chi2, ncx2  # noqa: PLC0415

    if chi2.cdf(statistic, freedom) <= p:
        return 0.0
    upper = statistic + 10 * math.sqrt(2 * statistic + freedom) + 10
    return float(brentq(lambda each: ncx2.cdf(statistic, freedom, each) - p, 1e-9, upper))


def _attribute(
    subject: AuditSubject, name: str, table: Table, words: list[str], classes: list[str]
) -> Iterator[Finding]:
    if min(table.shape) < 2:
        return
    found = Association.of(table)
    row, column = np.unravel_index(int(table.argmin()), table.shape)
    smallest, cell = int(table.min()), f"{words[row]}, {classes[column]}"
    few = int((table < _SMALL_CELL).sum())
    strong = found.low >= _ASSOCIATED
    known = int(table.sum())
    yield attributes.finding(
        severity="warning" if strong else "note",
        subject=name,
        title=f"{name} and class {'go together' if strong else 'hardly go together'}: Cramér's V "
        f"{found.value:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}. The smallest cell "
        f"({cell}) has {smallest:,} images; {few} of {table.size} cells have fewer than "
        f"{_SMALL_CELL}.",
        unit="cells",
        count=few,
        of=int(table.size),
        measure="Cramér's V of attribute and class",
        value=found.value,
        threshold=_ASSOCIATED,
        details={"low": found.low, "high": found.high, "images": known,
                 "unknown": int(subject.sources.sum()) - known}
        | {
            f"{word}, {label}": int(table[r, c])
            for r, word in enumerate(words)
            for c, label in enumerate(classes)
        },
    )  # fmt: skip
