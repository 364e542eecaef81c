"""Split rules as written on the command line: `official`, `stratified:8:1:1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ferdata.errors import OptionError, UnknownNameError

_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class OfficialRule:
    """Keep the authors' split; text form `official`."""


@dataclass(frozen=True)
class StratifiedRule:
    """A new split with the same class shares in each part; text form `stratified:8:1:1`.

    Attributes:
        train: Share of train; the three shares sum to 1.
        validation: Share of validation.
        test: Share of test.
    """

    train: Fraction
    validation: Fraction
    test: Fraction


SplitRule: TypeAlias = OfficialRule | StratifiedRule


def parse_rule(text: str) -> SplitRule:
    """Read a split rule as written on the command line.

    Args:
        text: `official`, or `stratified:TRAIN:VALIDATION:TEST` with a ratio of three numbers.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: A rule's numbers are missing or make no sense.
    """
    name, _, arguments = text.strip().partition(":")
    parsers = {"official": _parse_official, "stratified": _parse_stratified}
    if name not in parsers:
        raise UnknownNameError("split rule", text, ["official", "stratified:8:1:1"])
    return parsers[name](arguments)


def _parse_official(arguments: str) -> SplitRule:
    if arguments:
        raise OptionError(f"the split rule official takes no numbers; got official:{arguments}")
    return OfficialRule()


def _parse_stratified(arguments: str) -> SplitRule:
    numbers = arguments.split(":")
    if len(numbers) != 3 or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise OptionError(
            f"split rule stratified:{arguments} is not a ratio of three numbers; "
            "write train:validation:test, for instance stratified:8:1:1"
        )
    parts = [Fraction(number) for number in numbers]
    if not parts[0]:
        raise OptionError(f"split rule stratified:{arguments} leaves train empty")
    train, validation, test = (part / sum(parts) for part in parts)
    return StratifiedRule(train, validation, test)
