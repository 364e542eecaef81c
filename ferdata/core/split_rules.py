"""Split rules as written on the command line: `official`, `subject:8:1:1`, one for each dataset."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ferdata.core.errors import OptionError, UnknownNameError

SPLITS = ("train", "validation", "test")
"""The splits, in the order of their use."""

_NUMBER = re.compile(r"\d+(\.\d+)?")

EXAMPLES = ("auto", "official", "stratified:8:1:1", "subject:8:1:1", "subject-kfold:10")
"""Each kind of rule, for messages."""


@dataclass(frozen=True)
class AutoRule:
    """The rule that suits the dataset, see `ferdata.curation.split.resolve_rules`; `auto`."""

    @property
    def text(self) -> str:
        """The rule as it is written."""
        return "auto"


@dataclass(frozen=True)
class OfficialRule:
    """Keep the authors' split; `official`."""

    @property
    def text(self) -> str:
        """The rule as it is written."""
        return "official"


@dataclass(frozen=True)
class StratifiedRule:
    """A new split with the same class shares in each part; `stratified:8:1:1`.

    Attributes:
        train: Share of train; the three shares sum to 1.
        validation: Share of validation.
        test: Share of test.
    """

    train: Fraction
    validation: Fraction
    test: Fraction

    @property
    def text(self) -> str:
        """The rule as it is written, in the smallest whole numbers."""
        return f"stratified:{_ratio(self.train, self.validation, self.test)}"


@dataclass(frozen=True)
class SubjectRule:
    """A new split of the people, class shares as alike as that allows; `subject:8:1:1`.

    Attributes:
        train: Share of train, in rows; the three shares sum to 1.
        validation: Share of validation.
        test: Share of test.
    """

    train: Fraction
    validation: Fraction
    test: Fraction

    @property
    def text(self) -> str:
        """The rule as it is written, in the smallest whole numbers."""
        return f"subject:{_ratio(self.train, self.validation, self.test)}"


@dataclass(frozen=True)
class SubjectFoldRule:
    """Folds of people, one of which is test; `subject-kfold:10:3`.

    Attributes:
        folds: Number of folds.
        fold: The one that is test, counted from 1.
    """

    folds: int
    fold: int = 1

    @property
    def text(self) -> str:
        """The rule as it is written."""
        return f"subject-kfold:{self.folds}:{self.fold}"


SplitRule: TypeAlias = AutoRule | OfficialRule | StratifiedRule | SubjectRule | SubjectFoldRule


@dataclass(frozen=True)
class SplitRules:
    """One rule for all datasets, or one for each.

    Attributes:
        common: The rule of every dataset; None where each has its own.
        by_dataset: Dataset and rule, sorted by dataset; empty where one rule is for all.
    """

    common: SplitRule | None = None
    by_dataset: tuple[tuple[str, SplitRule], ...] = ()

    @classmethod
    def from_mapping(cls, rules: Mapping[str, SplitRule]) -> SplitRules:
        """Return the rules of some datasets: a common one where all have the same."""
        distinct = set(rules.values())
        if len(distinct) == 1:
            return cls(common=distinct.pop())
        return cls(by_dataset=tuple(sorted(rules.items(), key=lambda item: item[0])))

    @property
    def text(self) -> str:
        """The rules as they are written: `fer2013=official,jaffe=subject:8:1:1`, sorted."""
        if self.common is not None:
            return self.common.text
        return ",".join(f"{dataset}={rule.text}" for dataset, rule in self.by_dataset)

    def of(self, dataset: str) -> SplitRule:
        """Return the rule of a dataset.

        Raises:
            UnknownNameError: The rules name other datasets only.
        """
        if self.common is not None:
            return self.common
        rules = dict(self.by_dataset)
        if dataset not in rules:
            raise UnknownNameError("dataset in the split rules", dataset, rules)
        return rules[dataset]

    def require_datasets(self, datasets: Iterable[str]) -> None:
        """Check that rules for each dataset name all of them and no other.

        Raises:
            OptionError: With the datasets that are missing, and those that there aren't.
        """
        if self.common is not None:
            return
        named, present = {dataset for dataset, _ in self.by_dataset}, set(datasets)
        problems = []
        if missing := sorted(present - named):
            problems.append(f"there is no rule for {', '.join(missing)}")
        if unknown := sorted(named - present):
            problems.append(f"there is no {', '.join(unknown)}")
        if problems:
            raise OptionError(
                f"split rules {self.text}: {' and '.join(problems)}; "
                f"write one rule for each of {', '.join(sorted(present))}, or one for all"
            )


def parse_rule(text: str) -> SplitRule:
    """Read a split rule as written on the command line.

    Args:
        text: `auto`; `official`; `stratified:TRAIN:VALIDATION:TEST` or `subject:…` with a ratio of
            three numbers; or `subject-kfold:FOLDS:FOLD`, where FOLD is 1 if it is left out.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: A rule's numbers are missing or make no sense.
    """
    name, _, arguments = text.strip().partition(":")
    if name in ("auto", "official"):
        if arguments:
            raise OptionError(f"the split rule {name} takes no numbers; got {name}:{arguments}")
        return AutoRule() if name == "auto" else OfficialRule()
    if name == "stratified":
        return StratifiedRule(*_shares(name, arguments))
    if name == "subject":
        return SubjectRule(*_shares(name, arguments))
    if name == "subject-kfold":
        return _fold_rule(arguments)
    raise UnknownNameError("split rule", text, EXAMPLES)


def parse_rules(text: str) -> SplitRules:
    """Read split rules as written on the command line.

    Args:
        text: One rule for all datasets, see `parse_rule`, or one for each:
            `fer2013=official,ckplus=subject:8:1:1`.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: A rule's numbers make no sense, or a dataset is named twice or has no rule.
    """
    if "=" not in text:
        return SplitRules(common=parse_rule(text))
    rules: dict[str, SplitRule] = {}
    for item in text.split(","):
        dataset, separator, rule = (part.strip() for part in item.partition("="))
        if not (dataset and separator and rule):
            raise OptionError(
                f"split rules {text!r}: {item.strip()!r} is not a dataset and its rule; "
                "write for instance fer2013=official,ckplus=subject:8:1:1"
            )
        if dataset in rules:
            raise OptionError(f"split rules {text!r}: {dataset} has two rules")
        rules[dataset] = parse_rule(rule)
    return SplitRules(by_dataset=tuple(sorted(rules.items(), key=lambda item: item[0])))


def _shares(name: str, arguments: str) -> tuple[Fraction, Fraction, Fraction]:
    """Read a ratio of three numbers; the shares sum to 1."""
    numbers = arguments.split(":")
    if len(numbers) != 3 or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise OptionError(
            f"split rule {name}:{arguments} is not a ratio of three numbers; "
            f"write train:validation:test, for instance {name}:8:1:1"
        )
    parts = [Fraction(number) for number in numbers]
    if not parts[0]:
        raise OptionError(f"split rule {name}:{arguments} leaves train empty")
    train, validation, test = (part / sum(parts) for part in parts)
    return train, validation, test


def _fold_rule(arguments: str) -> SubjectFoldRule:
    match = re.fullmatch(r"(\d{1,6})(?::(\d{1,6}))?", arguments)
    if not match:
        raise OptionError(
            f"split rule subject-kfold:{arguments} is not a number of folds and a fold; "
            "write for instance subject-kfold:10:1"
        )
    folds, fold = int(match[1]), int(match[2] or 1)
    if folds < 2:
        raise OptionError(f"split rule subject-kfold:{arguments}: at least 2 folds are needed")
    if not 1 <= fold <= folds:
        raise OptionError(
            f"split rule subject-kfold:{arguments}: there are folds 1 to {folds}, no fold {fold}"
        )
    return SubjectFoldRule(folds, fold)


def _ratio(*shares: Fraction) -> str:
    """Write shares as a ratio of the smallest whole numbers."""
    scale = math.lcm(*(share.denominator for share in shares))
    whole = [int(share * scale) for share in shares]
    return ":".join(str(number // math.gcd(*whole)) for number in whole)
