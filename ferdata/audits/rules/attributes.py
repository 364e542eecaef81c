"""Gender, race and age by class: association, and the smallest cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ferdata.audits.findings import Finding
from ferdata.audits.rule import NotApplicableError, rule
from ferdata.audits.subject import AuditSubject

ATTRIBUTES = ("gender", "race", "age_group")

_ASSOCIATED = 0.1
"""Cramér's V from which an association counts, if its whole interval lies above."""

_SMALL_CELL = 10
_DRAWS = 1000

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


def cramers_v(table: Table) -> float:
    """Return Cramér's V with the bias corrected (Bergsma, J. Korean Stat. Soc. 42, 2013)."""
    n, (rows, columns) = table.sum(), table.shape
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    squares = np.divide(
        (table - expected) ** 2, expected, out=np.zeros(table.shape), where=expected > 0
    )
    phi = squares.sum() / n
    corrected = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    less = [k - (k - 1) ** 2 / (n - 1) for k in (rows, columns)]
    return float(np.sqrt(corrected / max(min(less) - 1, 1e-9)))


def interval(table: Table, *, draws: int = _DRAWS, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of Cramér's V, images drawn again."""
    generator = np.random.default_rng(seed)
    n = int(table.sum())
    drawn = generator.multinomial(n, table.reshape(-1) / n, size=draws)
    values = [cramers_v(each.reshape(table.shape)) for each in drawn]
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def _attribute(
    subject: AuditSubject, name: str, table: Table, words: list[str], classes: list[str]
) -> Iterator[Finding]:
    if min(table.shape) < 2:
        return
    value, (low, high) = cramers_v(table), interval(table)
    row, column = np.unravel_index(int(table.argmin()), table.shape)
    smallest, cell = int(table.min()), f"{words[row]}, {classes[column]}"
    few = int((table < _SMALL_CELL).sum())
    strong = low >= _ASSOCIATED
    known = int(table.sum())
    yield attributes.finding(
        severity="warning" if strong else "note",
        subject=name,
        title=f"{name} and class {'go together' if strong else 'hardly go together'}: Cramér's V "
        f"{value:.2f}, 95 % interval {low:.2f} to {high:.2f}. The smallest cell ({cell}) has "
        f"{smallest:,} images; {few} of {table.size} cells have fewer than {_SMALL_CELL}.",
        unit="cells",
        count=few,
        of=int(table.size),
        measure="Cramér's V of attribute and class",
        value=value,
        threshold=_ASSOCIATED,
        details={"low": low, "high": high, "images": known,
                 "unknown": int(subject.sources.sum()) - known}
        | {
            f"{word}, {label}": int(table[r, c])
            for r, word in enumerate(words)
            for c, label in enumerate(classes)
        },
    )  # fmt: skip
