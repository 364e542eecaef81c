"""Splitting: who is in train, validation and test.

`official` keeps the split of a dataset's authors and carves validation out of train where they
have none; `stratified` and `subject` make a split of their own; `subject-kfold` tests on one fold
of the people. Each dataset goes by its own rule. All keep groups together (same subject, sequence
or picture; see `ferdata.curate.groups`), draw by a hash of the group's name, so that the order of
rows is of no importance, and give each class its share as exactly as groups allow.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ferdata.curate.carve import Stratum, carve, quotas
from ferdata.curate.folds import fold_facts, require_subjects, subject_folds
from ferdata.curate.groups import groups
from ferdata.curate.pictures import Pictures
from ferdata.curate.rules import (
    AutoRule,
    OfficialRule,
    SplitRule,
    SplitRules,
    StratifiedRule,
    SubjectFoldRule,
    SubjectRule,
    parse_rule,
    parse_rules,
)
from ferdata.errors import ManifestError, OptionError
from ferdata.manifest import Manifest
from ferdata.schema import SPLITS

logger = logging.getLogger(__name__)

_BY_SUBJECT = parse_rule("subject:8:1:1")
_BY_CLASS = parse_rule("stratified:8:1:1")


def resolve_rules(manifest: Manifest, rules: str | SplitRule | SplitRules) -> SplitRules:
    """Settle split rules for the datasets of a manifest.

    `auto` becomes, dataset by dataset: `official` where every row has an official split, and there
    are train and one other among them; else `subject:8:1:1` where every row has a subject; else
    `stratified:8:1:1`, with a warning that people can't be held apart.

    Args:
        manifest: Rows of every dataset that the rules are for.
        rules: A rule or rules, or their text form; see `ferdata.curate.rules.parse_rules`.

    Returns:
        Rules without `auto` for the datasets that are there; a common one where all come out alike.

    Raises:
        UnknownNameError: There is no such rule, or none for a dataset.
        OptionError: A rule makes no sense, or a text names other datasets than there are.
    """
    datasets = sorted(pc.unique(manifest.table.column("dataset")).to_pylist())
    if isinstance(rules, str):
        rules = parse_rules(rules)
        rules.require_datasets(datasets)
    elif not isinstance(rules, SplitRules):
        rules = SplitRules(common=rules)
    if not datasets:
        return rules
    chosen = {dataset: rules.of(dataset) for dataset in datasets}
    for dataset, rule in chosen.items():
        if isinstance(rule, AutoRule):
            chosen[dataset] = _suitable_rule(manifest, dataset)
    return SplitRules.from_mapping(chosen)


def split(
    manifest: Manifest,
    rules: str | SplitRule | SplitRules = "official",
    *,
    validation: float = 0.1,
    seed: int = 0,
    near: int | None = None,
    pictures: Pictures | None = None,
) -> Manifest:
    """Fill the column `split`.

    Rows of a free rule that share a group with rows whose split is given (an official one, or a
    fold) go where those are, so that no rule tears apart what it has a say in.

    Args:
        manifest: Source images only: splitting comes before augmentation.
        rules: A rule, rules by dataset, or their text form; see `resolve_rules`.
        validation: For `official` and `subject-kfold`: the part of train that becomes validation
            in each dataset that ships none; 0 carves nothing. A validation split that is there
            stays.
        seed: Draws other rows into the parts.
        near: Keep rows whose perceptual hashes differ in at most this many of 256 bits together,
            too; None: only those with equal pixels.
        pictures: The picture of each row, where that is known already; `near` then counts not.

    Returns:
        The same rows in the same order, each in a split; provenance under `"split"`.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: `validation` is not in 0 ≤ validation < 1, or a rule makes no sense, or a
            dataset has fewer subjects than folds.
        ManifestError: The manifest has augmented copies, rows without the official split or the
            subject that their rule needs, or with `near` without a perceptual hash.
    """
    if not 0 <= validation < 1:
        raise OptionError(f"validation is a part of train, 0 ≤ part < 1; got {validation}")
    if manifest.table.column("parent_id").null_count != len(manifest):
        raise ManifestError(
            "the manifest has augmented copies; split first and augment then, "
            "or copies of one photograph end up in train and test"
        )
    settled = resolve_rules(manifest, rules)
    work = _Work(manifest, settled, Fraction(str(validation)), seed)
    work.give()
    work.draw(groups(manifest, near=near, pictures=pictures))
    done = manifest.with_column("split", work.names.tolist())
    counts = done.counts()
    _warn_of_empty_classes(counts)
    facts: dict[str, Any] = {
        "rule": settled.text,
        "rules": {dataset: rule.text for dataset, rule in work.rules.items()},
        "validation": validation,
        "seed": seed,
        "counts": counts,
    }
    if work.folds:
        facts["folds"] = work.folds
    return done.with_provenance("split", facts)


class _Work:
    """The rows on their way through the rules.

    Attributes:
        names: The split of each row so far; None where it is open. Object, shape (N,).
        rules: The rule of each dataset.
        folds: Rows and people of each fold, by dataset.
    """

    def __init__(
        self, manifest: Manifest, rules: SplitRules, validation: Fraction, seed: int
    ) -> None:
        self.manifest = manifest
        self.validation = validation
        self.seed = seed
        self.datasets = manifest.strings("dataset")
        self.rules = {name: rules.of(name) for name in sorted(set(self.datasets))}
        self.names = np.full(len(manifest), None, dtype=object)
        self.folds: dict[str, Any] = {}
        # Rows that are validation or train, but not test: where validation can be carved.
        self.learning = np.zeros(len(manifest), dtype=bool)
        self._strata = list(zip(self.datasets, manifest.column("label"), strict=True))

    def give(self) -> None:
        """Fill in what the rules say of a row whatever is drawn: authors' splits and folds."""
        for dataset, rule in self.rules.items():
            rows = np.flatnonzero(self.datasets == dataset)
            if isinstance(rule, OfficialRule):
                self._give_official(dataset, rows)
            elif isinstance(rule, SubjectFoldRule):
                self._give_fold(rows, rule)
            elif isinstance(rule, SubjectRule):
                require_subjects(self.manifest.take(rows))

    def draw(self, group_names: npt.NDArray[np.object_]) -> None:
        """Draw test, then validation, from what is open; the rest is train."""
        _, group = np.unique(group_names.astype(str), return_inverse=True)
        self._follow(group)
        for part in ("test", "validation"):
            wanted = self._wanted(part)
            candidates = self._open()
            if part == "test":
                candidates &= ~_any_in_group(self.learning, group)
            rows = np.flatnonzero(candidates)
            if rows.size and any(wanted.values()):
                strata = [self._strata[row] for row in rows]
                chosen = carve(strata, group_names[rows], wanted, self.seed, part)
                self.names[rows[chosen]] = part
        self.names[self._open()] = "train"

    def _give_official(self, dataset: str, rows: npt.NDArray[np.int64]) -> None:
        source = self.manifest.take(rows)
        _require_official(source)
        names = source.strings("official_split")
        if (names == "validation").any():
            logger.info("%s keeps its own validation split; none is carved out of train", dataset)
        elif self.validation:
            self.learning[rows[names == "train"]] = True
            names[names == "train"] = None
        self.names[rows] = names

    def _give_fold(self, rows: npt.NDArray[np.int64], rule: SubjectFoldRule) -> None:
        source = self.manifest.take(rows)
        fold = subject_folds(source, rule.folds)
        self.folds |= fold_facts(source, fold, rule.folds)
        rest = rows[fold != rule.fold]
        self.names[rows[fold == rule.fold]] = "test"
        if self.validation:
            self.learning[rest] = True
        else:
            self.names[rest] = "train"

    def _follow(self, group: npt.NDArray[np.int64]) -> None:
        """Send open rows to the split that a row of their group is given.

        Where a group is given several, free rows go with test before validation before train. Rows
        that an authors' split or a fold keeps out of test never go there.
        """
        is_open = self._open()
        for part in SPLITS:  # the last one that is found counts
            given = _any_in_group(self.names == part, group)
            followers = is_open & given
            if part == "test":
                followers &= ~self.learning
            self.names[followers] = part

    def _open(self) -> npt.NDArray[np.bool_]:
        """Return which rows are in no split yet."""
        return np.array([name is None for name in self.names], dtype=bool)

    def _wanted(self, part: str) -> Counter[Stratum]:
        """Return how many rows of each dataset and class are still to be drawn for a part."""
        wanted: Counter[Stratum] = Counter()
        for dataset, rule in self.rules.items():
            mine = self.datasets == dataset
            if isinstance(rule, StratifiedRule | SubjectRule):
                share, base = rule.test if part == "test" else rule.validation, mine
            elif part == "validation":
                share, base = self.validation, mine & self.learning
            else:
                continue
            wanted.update(quotas(self._count(base), share))
            wanted.subtract(self._count(base & (self.names == part)))
        return Counter({key: rows for key, rows in wanted.items() if rows > 0})

    def _count(self, mask: npt.NDArray[np.bool_]) -> Counter[Stratum]:
        return Counter(self._strata[row] for row in np.flatnonzero(mask))


def _any_in_group(
    mask: npt.NDArray[np.bool_], group: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell for each row whether the mask is true for any row of its group."""
    found = np.bincount(group[mask], minlength=int(group.max(initial=0)) + 1) > 0
    return np.asarray(found[group])


def _suitable_rule(manifest: Manifest, dataset: str) -> SplitRule:
    """Return the rule that `auto` stands for."""
    table = manifest.table.filter(pc.equal(manifest.table.column("dataset"), dataset))
    parts = set(pc.unique(table.column("official_split")).to_pylist())
    if None not in parts and "train" in parts and len(parts) > 1:
        return OfficialRule()
    if not table.column("subject").null_count:
        return _BY_SUBJECT
    logger.warning(
        "%s has no official split, and not every row says who it shows: it is split by class only "
        "(%s), and people can't be held apart",
        dataset,
        _BY_CLASS.text,
    )
    return _BY_CLASS


def _require_official(manifest: Manifest) -> None:
    """Refuse rows that the dataset's authors put into no split."""
    column = manifest.table.column("official_split")
    if not column.null_count:
        return
    missing = manifest.table.filter(pc.is_null(column))
    names = ", ".join(sorted(pc.unique(missing.column("dataset")).to_pylist()))
    raise ManifestError(
        f"{column.null_count} rows have no official split ({names}; for instance "
        f"{missing.column('sample_id')[0].as_py()!r}); use another rule: --split stratified:8:1:1"
    )


def _warn_of_empty_classes(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Name the classes that a split lacks although the manifest has them."""
    for part, by_label in counts.items():
        if not any(by_label.values()):
            continue
        absent = [
            label
            for label, rows in by_label.items()
            if not rows and any(other[label] for other in counts.values())
        ]
        if absent:
            logger.warning("%s has no row of %s", part, ", ".join(absent))
