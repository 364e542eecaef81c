"""How numbers are shown, declared once beside the number and used by every table.

A field of a result declares its title and format:

    class Scores(BaseModel):
        accuracy: Annotated[float, Column("accuracy", ".2%", interval=".1%")]
        accuracy_low: float
        accuracy_high: float

Text, Markdown and CSV are made from these declarations; JSON is the result itself. A new metric is
computed and declared in one file, and nothing changes where results are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel

MISSING = "–"
"""Shown in place of a number that does not exist, such as the recall of a class without images."""


@dataclass(frozen=True)
class Column:
    """How a field is shown.

    Attributes:
        title: Head of its column.
        form: Format in text and Markdown; CSV has six digits of everything.
        interval: Format of the ends of its 95 % interval, which are the fields NAME_low and
            NAME_high; empty if there is none.
        scale: Factor in text and Markdown, for instance 1e-6 for millions.
        csv: Name in CSV, if it differs from the field's name.
    """

    title: str
    form: str = ".3f"
    interval: str = ""
    scale: float = 1
    csv: str = ""


def columns(model: type[BaseModel]) -> dict[str, Column]:
    """Return the columns that a model declares, by field, in the order of the fields."""
    return {
        name: mark
        for name, field in model.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Column)
    }


def heads(model: type[BaseModel]) -> list[str]:
    """Return the heads of a table of such models, for text and Markdown."""
    found = []
    for column in columns(model).values():
        found += [column.title, "95 % interval"] if column.interval else [column.title]
    return found


def cells(entry: BaseModel) -> list[str]:
    """Return the row of a table with `heads`."""
    found = []
    for name, column in columns(type(entry)).items():
        found.append(_number(getattr(entry, name), column))
        if column.interval:
            found.append(_interval(entry, name, column))
    return found


def sentence(entry: BaseModel, names: Iterable[str] | None = None) -> str:
    """Return the same as text in one line: titles, numbers and intervals.

    Args:
        entry: The numbers.
        names: Fields to include; default: all that are declared.
    """
    known, parts = columns(type(entry)), []
    for name in known if names is None else names:
        interval = _interval(entry, name, known[name])
        parts.append(
            f"{known[name].title} {_number(getattr(entry, name), known[name])}"
            + (f" (95 % interval {interval})" if interval else "")
        )
    return ", ".join(parts)


def csv_heads(model: type[BaseModel]) -> list[str]:
    """Return the heads of such models in CSV: names of fields, an interval as two."""
    found = []
    for name, column in columns(model).items():
        ends = (f"{name}_low", f"{name}_high") if column.interval else ()
        found += [column.csv or name, *ends]
    return found


def csv_cells(entry: BaseModel) -> list[str]:
    """Return the row below `csv_heads`; floating-point numbers have six digits."""
    found = []
    for name, column in columns(type(entry)).items():
        ends = (f"{name}_low", f"{name}_high") if column.interval else ()
        found += [_plain(getattr(entry, each)) for each in (name, *ends)]
    return found


def _number(value: float | None, column: Column) -> str:
    if value is None:
        return MISSING
    return format(value if column.scale == 1 else value * column.scale, column.form)


def _interval(entry: BaseModel, name: str, column: Column) -> str:
    """Format an interval; empty if there is none."""
    low, high = (getattr(entry, f"{name}_{end}", None) for end in ("low", "high"))
    if not column.interval or low is None or high is None:
        return ""
    return f"{low:{column.interval}}–{high:{column.interval}}"


def _plain(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.6f}" if isinstance(value, float) else str(value)
