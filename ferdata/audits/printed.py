"""Numbers as others print them: accuracies that must be k of n, model sizes, tables of counts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ferdata.core.delimited import open_lines, sniff_table
from ferdata.core.errors import AnnotationError, OptionError
from ferdata.core.labels import find_name

_CLAIM = re.compile(r"(?P<number>\d+(?:\.(?P<decimals>\d+))?)\s*(?P<unit>%|MB|M)?", re.IGNORECASE)
_TOTALS = {"total", "all", "sum", "overall"}
_MOST = 20_000  # images up to which a smallest fitting number is searched


@dataclass(frozen=True)
class Claim:
    """A printed number.

    Attributes:
        text: As given.
        value: Its value, exactly as printed.
        decimals: Digits behind the point.
        unit: `%` for an accuracy, `M` for millions of parameters, `MB` for megabytes.
    """

    text: str
    value: Fraction
    decimals: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Claim:
        """Parse what follows `--claim`.

        Raises:
            OptionError: It is no number with a known unit, or no accuracy.
        """
        match = _CLAIM.fullmatch(text.strip())
        if match is None:
            raise OptionError(
                f"--claim {text}: expected an accuracy in percent such as 98.99, or a model's size "
                "such as 5.2M (parameters) or 21MB"
            )
        unit = (match["unit"] or "%").upper()
        value = Fraction(match["number"])
        if unit == "%" and value > 100:
            raise OptionError(f"--claim {text}: an accuracy is at most 100 percent")
        return cls(text, value, len(match["decimals"] or ""), unit)

    def correct(self, n: int) -> int | None:
        """Return the number k of n that gives this accuracy, rounded or cut off; None if none does.

        The test for granularity-related inconsistency of means (Brown and Heathers, 2017), for a
        proportion.
        """
        step = 10**self.decimals
        printed = self.value * step
        nearest = math.floor(self.value * n / 100)
        for k in (nearest, nearest + 1):
            exact = Fraction(100 * k * step, n)
            if k <= n and printed in (math.floor(exact), math.floor(exact + Fraction(1, 2))):
                return k
        return None

    def always_fits(self, n: int) -> bool:
        """Say whether every printed value of as many decimals is some k of n."""
        return bool(n >= 100 * 10**self.decimals)

    def smallest(self) -> int | None:
        """Return the smallest number of images that gives this accuracy."""
        return next((n for n in range(1, _MOST) if self.correct(n) is not None), None)

    def matches(self, value: float) -> bool:
        """Say whether a value, rounded or cut off, is the printed number."""
        step = 10**self.decimals
        printed = int(self.value * step)
        return bool(printed in (math.floor(value * step), math.floor(value * step + 0.5)))


@dataclass(frozen=True)
class PrintedTable:
    """A table of counts.

    Attributes:
        columns: Images by class name, by column; without totals.
        column_totals: The printed total of each column, where there is one.
        row_totals: The printed total of each class, where there is one.
    """

    columns: dict[str, dict[str, int]]
    column_totals: dict[str, int]
    row_totals: dict[str, int]


def read_table(path: Path) -> PrintedTable:
    """Read a csv file: a column of classes, then columns of counts.

    Raises:
        OptionError: It can't be read, or a cell is no whole number.
    """
    try:
        path = path.expanduser()
        split = sniff_table(path).dialect.split
        lines = [[cell.strip() for cell in split(line)] for line in open_lines(path)]
    except AnnotationError as error:
        raise OptionError(f"--table {error}") from None
    rows = [row for row in lines if any(row)]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise OptionError(f"--table {path}: expected a header, as in 'class,train,test', and rows")
    heads = [cell.strip() for cell in rows[0][1:]]
    cells = {row[0].strip(): _numbers(row[1:], len(heads), path) for row in rows[1:]}
    totals = next((row for name, row in cells.items() if name.lower() in _TOTALS), {})
    classes = {
        find_name(name) or name: row for name, row in cells.items() if name.lower() not in _TOTALS
    }
    columns = {
        head: {name: row[k] for name, row in classes.items()}
        for k, head in enumerate(heads)
        if head.lower() not in _TOTALS
    }
    total_at = next((k for k, head in enumerate(heads) if head.lower() in _TOTALS), None)
    return PrintedTable(
        columns,
        {head: totals[k] for k, head in enumerate(heads) if totals},
        {} if total_at is None else {name: row[total_at] for name, row in classes.items()},
    )


def _numbers(cells: list[str], width: int, path: Path) -> dict[int, int]:
    found = {}
    for k, cell in enumerate([*cells, *[""] * width][:width]):
        text = cell.strip().replace(",", "").replace(" ", "")
        if text in ("", "-", "–"):
            text = "0"
        if not text.isdigit():
            raise OptionError(f"--table {path}: {cell!r} is no number of images")
        found[k] = int(text)
    return found
