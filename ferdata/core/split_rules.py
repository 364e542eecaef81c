"""Split rules: how the rows of a dataset are assigned to train, validation and test.

A rule is one class: its text as on the command line (`subject:8:1:1`), how that text is parsed, and
how it assigns rows. To add a rule, write its class here and list it in `RULES`. A `FixedRule`
determines the split of every row; for a `RatioRule`, `ferdata.curation` draws whole groups of rows
at random. Parsing loads neither NumPy nor pyarrow.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.core.given_splits import FileRule, NativeRule, OfficialRule, PredefinedRule
from ferdata.core.split_contract import SPLITS, FixedRule, SplitRule

__all__ = [
    "SPLITS",
    "AutoRule",
    "FileRule",
    "FixedRule",
    "LeaveOneSubjectOutRule",
    "NativeRule",
    "OfficialRule",
    "PredefinedRule",
    "RatioRule",
    "SplitRule",
    "SplitRules",
    "StratifiedRule",
    "SubjectFoldRule",
    "SubjectRule",
    "parse_rule",
    "parse_rules",
]

_SUBJECTS = 12  # named in a message


@dataclass(frozen=True)
class AutoRule(SplitRule):
    """The rule that suits the dataset, see `ferdata.curation.split.resolve_rules`; `auto`."""

    name: ClassVar[str] = "auto"
    example: ClassVar[str] = "auto"


@dataclass(frozen=True)
class SubjectFoldRule(FixedRule):
    """Test on one of several folds of subjects; `subject-kfold:10:3`.

    The convention of CK+'s ten subject-independent folds: subjects are sorted by name, and a
    subject's fold is its index modulo the number of folds, plus 1. The 118 labeled subjects of CK+
    then have 33, 39, 40, 35, 30, 37, 29, 29, 33 and 22 of its 327 labeled sequences (the folds
    published with Emotion-FAN: Meng et al., "Frame attention networks for facial expression
    recognition in videos", ICIP 2019). Only subjects with rows are counted, so dropping a subject
    shifts the folds of those after it.

    Attributes:
        folds: Number of folds.
        fold: The fold that is test, from 1.
    """

    folds: int
    fold: int = 1

    name: ClassVar[str] = "subject-kfold"
    example: ClassVar[str] = "subject-kfold:10"
    needs: ClassVar[tuple[str, ...]] = ("subject",)

    @property
    def text(self) -> str:
        """The rule as text, with its fold."""
        return f"{self.name}:{self.folds}:{self.fold}"

    @classmethod
    def parse(cls, arguments: str) -> SubjectFoldRule:
        """Parse `FOLDS` or `FOLDS:FOLD`; the fold is 1 by default."""
        rule = f"split rule {cls.name}:{arguments}"
        match = re.fullmatch(r"(\d{1,6})(?::(\d{1,6}))?", arguments)
        if not match:
            raise OptionError(
                f"{rule}: expected a number of folds and the fold to test on, "
                f"for instance {cls.name}:10:1"
            )
        folds, fold = int(match[1]), int(match[2] or 1)
        if folds < 2:
            raise OptionError(f"{rule}: expected at least 2 folds")
        if not 1 <= fold <= folds:
            raise OptionError(f"{rule}: expected a fold from 1 to {folds}; got {fold}")
        return cls(folds, fold)

    def folds_of(self, subjects: Sequence[str]) -> list[int]:
        """Return the fold of each row from its subject, counted from 1."""
        fold = {name: i % self.folds + 1 for i, name in enumerate(sorted(set(subjects)))}
        return [fold[name] for name in subjects]

    def assign(self, dataset: str, *values: Sequence[str]) -> list[str]:
        """Return test for the rows of the fold and train for all others."""
        (names,) = values
        subjects = len(set(names))
        if subjects < self.folds:
            raise OptionError(
                f"{dataset} has {subjects} subjects, too few for {self.folds} folds; "
                f"use at most {subjects} folds: --split {self.name}:{subjects}"
            )
        return ["test" if fold == self.fold else "train" for fold in self.folds_of(names)]

    def provenance(self, *values: Sequence[str]) -> dict[str, Any]:
        """Return the number of rows and subjects of each fold, under `"folds"`."""
        (names,) = values
        folds = self.folds_of(names)
        rows = Counter(folds)
        subjects = Counter(fold for fold, _ in set(zip(folds, names, strict=True)))
        numbers = range(1, self.folds + 1)
        counts = {"rows": [rows[k] for k in numbers], "subjects": [subjects[k] for k in numbers]}
        return {"folds": counts}


@dataclass(frozen=True)
class LeaveOneSubjectOutRule(FixedRule):
    """Test on one subject and train on all others; `loso:KA`.

    Attributes:
        subject: The subject that is test.
    """

    subject: str

    name: ClassVar[str] = "loso"
    example: ClassVar[str] = "loso:SUBJECT"
    needs: ClassVar[tuple[str, ...]] = ("subject",)

    @property
    def text(self) -> str:
        """The rule as text, with its subject."""
        return f"{self.name}:{self.subject}"

    @classmethod
    def parse(cls, arguments: str) -> LeaveOneSubjectOutRule:
        """Parse the name of a subject."""
        if not arguments:
            raise OptionError(f"split rule {cls.name}: name the subject to test on: {cls.example}")
        return cls(arguments)

    def folds_of(self, subjects: Sequence[str]) -> list[int]:
        """Return a fold for each subject, counted from 1 in the order of their names."""
        fold = {name: number for number, name in enumerate(sorted(set(subjects)), start=1)}
        return [fold[name] for name in subjects]

    def assign(self, dataset: str, *values: Sequence[str]) -> list[str]:
        """Return test for the rows of the subject and train for all others."""
        (names,) = values
        known = sorted(set(names))
        if self.subject not in known:
            listed = ", ".join(known[:_SUBJECTS]) + (", …" if len(known) > _SUBJECTS else "")
            raise OptionError(
                f"split rule {self.text}: {dataset} has no subject {self.subject!r}; its "
                f"{len(known)} subjects are {listed}"
            )
        return ["test" if name == self.subject else "train" for name in names]


@dataclass(frozen=True)
class RatioRule(SplitRule):
    """A rule that draws whole groups until each split has its fraction of the rows of each class.

    Attributes:
        train: Fraction of train; the three sum to 1.
        validation: Fraction of validation.
        test: Fraction of test.
        repeat: Which of several independent draws with one seed, from 1.
    """

    train: Fraction
    validation: Fraction
    test: Fraction
    repeat: int = 1

    @property
    def text(self) -> str:
        """The rule as text, with its ratio in lowest terms."""
        fractions = (self.train, self.validation, self.test)
        scale = math.lcm(*(fraction.denominator for fraction in fractions))
        whole = [int(fraction * scale) for fraction in fractions]
        ratio = ":".join(str(number // math.gcd(*whole)) for number in whole)
        return f"{self.name}:{ratio}{f'@{self.repeat}' if self.repeat > 1 else ''}"

    @classmethod
    def parse(cls, arguments: str) -> RatioRule:
        """Parse `TRAIN:VALIDATION:TEST` or `TRAIN:VALIDATION:TEST@REPEAT`, for instance `8:1:1`."""
        rule = f"split rule {cls.name}:{arguments}"
        ratio, _, repeat = arguments.partition("@")
        if "@" in arguments and not re.fullmatch(r"[1-9]\d{0,5}", repeat):
            raise OptionError(f"{rule}: expected the number of a draw after @, from 1")
        numbers = ratio.split(":")
        if len(numbers) != 3 or not all(re.fullmatch(r"\d+(\.\d+)?", each) for each in numbers):
            raise OptionError(
                f"{rule}: expected a ratio of three numbers, train:validation:test, "
                f"for instance {cls.example}"
            )
        parts = [Fraction(number) for number in numbers]
        if not parts[0]:
            raise OptionError(f"{rule} leaves train empty")
        train, validation, test = (part / sum(parts) for part in parts)
        return cls(train, validation, test, int(repeat or 1))


@dataclass(frozen=True)
class StratifiedRule(RatioRule):
    """A new split in which every class has the same fractions; `stratified:8:1:1`.

    The only rule under which rows may also be drawn individually, ignoring groups.
    """

    name: ClassVar[str] = "stratified"
    example: ClassVar[str] = "stratified:8:1:1"


@dataclass(frozen=True)
class SubjectRule(RatioRule):
    """A new subject-independent split, as stratified as subjects allow; `subject:8:1:1`."""

    name: ClassVar[str] = "subject"
    example: ClassVar[str] = "subject:8:1:1"
    needs: ClassVar[tuple[str, ...]] = ("subject",)


RULES: tuple[type[SplitRule], ...] = (
    AutoRule,
    OfficialRule,
    NativeRule,
    FileRule,
    StratifiedRule,
    SubjectRule,
    SubjectFoldRule,
    LeaveOneSubjectOutRule,
    PredefinedRule,
)
"""All split rules."""


def rule_examples() -> tuple[str, ...]:
    """Return an example of each split rule."""
    return tuple(rule.example for rule in RULES)


@dataclass(frozen=True)
class SplitRules:
    """One rule for all datasets, or one for each.

    Attributes:
        common: The rule of all datasets; None if each has its own.
        by_dataset: Dataset and rule, sorted by dataset; empty if there is a common rule.
    """

    common: SplitRule | None = None
    by_dataset: tuple[tuple[str, SplitRule], ...] = ()

    @classmethod
    def from_mapping(cls, rules: Mapping[str, SplitRule]) -> SplitRules:
        """Return the rules of several datasets: a common one if all are equal."""
        distinct = set(rules.values())
        if len(distinct) == 1:
            return cls(common=distinct.pop())
        return cls(by_dataset=tuple(sorted(rules.items(), key=lambda item: item[0])))

    @property
    def text(self) -> str:
        """The rules as text, sorted by dataset: `fer2013=official,jaffe=subject:8:1:1`."""
        if self.common is not None:
            return self.common.text
        texts = {rule.text for _, rule in self.by_dataset}
        if len(texts) == 1:
            return texts.pop()
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
        """Check that rules by dataset name every dataset and no other.

        Raises:
            OptionError: With the datasets that have no rule, and those that don't exist.
        """
        if self.common is not None:
            return
        named, present = {dataset for dataset, _ in self.by_dataset}, set(datasets)
        problems = []
        if missing := sorted(present - named):
            problems.append(f"no rule for {', '.join(missing)}")
        if unknown := sorted(named - present):
            problems.append(f"no dataset {', '.join(unknown)}")
        if problems:
            raise OptionError(
                f"split rules {self.text}: {' and '.join(problems)}; "
                f"write one rule for each of {', '.join(sorted(present))}, or one for all"
            )


def parse_rule(text: str) -> SplitRule:
    """Parse a split rule as written on the command line.

    Args:
        text: `auto`, `official`, `native`, `file:TABLE`, `stratified:TRAIN:VALIDATION:TEST`,
            `subject:TRAIN:VALIDATION:TEST`, `subject-kfold:FOLDS:FOLD`, `loso:SUBJECT`, or
            `predefined:FOLDS.npy`; `@N` behind a ratio is its Nth draw, behind a file its Nth fold.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: The arguments of the rule are missing or wrong.
    """
    name, _, arguments = text.strip().partition(":")
    for rule in RULES:
        if rule.name == name:
            return rule.parse(arguments)
    raise UnknownNameError("split rule", text, rule_examples())


def parse_rules(text: str) -> SplitRules:
    """Parse split rules as written on the command line.

    Args:
        text: One rule for all datasets, see `parse_rule`, or one for each:
            `fer2013=official,ckplus=subject:8:1:1`.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: A rule's arguments are wrong, or a dataset has no rule or two.
    """
    if "=" not in text:
        return SplitRules(common=parse_rule(text))
    rules: dict[str, SplitRule] = {}
    for item in text.split(","):
        dataset, separator, rule = (part.strip() for part in item.partition("="))
        if not (dataset and separator and rule):
            raise OptionError(
                f"split rules {text!r}: expected DATASET=RULE but got {item.strip()!r}; "
                "write for instance fer2013=official,ckplus=subject:8:1:1"
            )
        if dataset in rules:
            raise OptionError(f"split rules {text!r}: {dataset} has two rules")
        rules[dataset] = parse_rule(rule)
    return SplitRules(by_dataset=tuple(sorted(rules.items(), key=lambda item: item[0])))
