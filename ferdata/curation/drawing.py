"""Drawing rows into splits: what each rule gives away, and how the rest is shared out."""

from __future__ import annotations

import logging
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import OptionError
from ferdata.core.manifest import Manifest
from ferdata.core.schema import SPLITS
from ferdata.core.split_rules import (
    OfficialRule,
    SplitRules,
    StratifiedRule,
    SubjectFoldRule,
    SubjectRule,
)
from ferdata.curation.folds import count_folds, require_known, require_subjects, subject_folds
from ferdata.curation.groups import groups
from ferdata.curation.same_image import Pictures
from ferdata.curation.selection import Stratum, carve, quotas

logger = logging.getLogger(__name__)


class Drawing:
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

    def alone(self) -> npt.NDArray[np.bool_]:
        """Return which rows a `stratified` rule can draw one by one.

        Raises:
            OptionError: There are none.
        """
        free = [name for name, rule in self.rules.items() if isinstance(rule, StratifiedRule)]
        if self.rules and not free:
            texts = ", ".join(sorted({rule.text for rule in self.rules.values()}))
            raise OptionError(
                f"rows can't be drawn one by one under {texts}, which says who goes where; "
                "use a stratified rule, for instance --split stratified:8:1:1"
            )
        return np.isin(self.datasets.astype(str), free)

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
        require_known(source, "official_split", "no official split")
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
        self.folds |= count_folds(source, fold, rule.folds)
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


def group_names(
    manifest: Manifest,
    alone: npt.NDArray[np.bool_],
    near: int | None,
    pictures: Pictures | None,
) -> npt.NDArray[np.object_]:
    """Return the group of each row; a row that goes alone is a group by itself."""
    if not alone.any():
        return groups(manifest, near=near, pictures=pictures)
    names = manifest.strings("sample_id")
    rest = np.flatnonzero(~alone)
    if rest.size:
        kept = None if pictures is None else pictures.keep(~alone)
        names[rest] = groups(manifest.take(rest), near=near, pictures=kept)
    return names


def _any_in_group(
    mask: npt.NDArray[np.bool_], group: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell for each row whether the mask is true for any row of its group."""
    found = np.bincount(group[mask], minlength=int(group.max(initial=0)) + 1) > 0
    return np.asarray(found[group])
