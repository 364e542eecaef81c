"""Targets of class balancing, parsed without loading NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ferdata.core.errors import OptionError

Target: TypeAlias = str | int | Mapping[str, int]
"""`"max"`, `"median"`, a number of rows for every class, or a number for some classes by name."""


def parse_target(text: str) -> Target:
    """Parse a target as written on the command line.

    Args:
        text: `max`, `median`, a number, or `CLASS=N,CLASS=N`.

    Raises:
        OptionError: It is none of these.
    """
    text = text.strip()
    if text in ("max", "median"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    targets: dict[str, int] = {}
    for item in text.split(","):
        label, equals, number = (part.strip() for part in item.partition("="))
        if not (label and equals and number.isascii() and number.isdigit()):
            raise OptionError(
                f"{text!r} is not a target for balancing; "
                "write max, median, a number, or fear=1000,anger=800"
            )
        if label in targets:
            raise OptionError(f"target {text!r} names {label} twice")
        targets[label] = int(number)
    return targets
