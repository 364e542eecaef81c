"""Assigning rows to splits: what rules fix first, then what is drawn at random."""

from __future__ import annotations

import logging
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ferdata.core.errors import ManifestError, OptionError
from ferdata.core.manifest import Manifest
from ferdata.core.schema import SPLITS
from ferdata.core.split_rules import FixedRule, RatioRule, SplitRule, SplitRules, StratifiedRule
from ferdata.curation.group_selection import Stratum, quotas, select_groups

logger = logging.getLogger(__name__)


class SplitAssignment:
    """The rows of a manifest while they are being assigned to splits.

    Attributes:
        rules: The rule of each dataset.
        splits: The split of each row, None while it is open; object, shape (N,).
        provenance: What rules add to the provenance, by key and dataset.
    """

    def __init__(
        self, manifest: Manifest, rules: SplitRules, validation: Fraction, seed: int
    ) -> None:
        self._manifest = manifest
        self._validation = validation
        self._seed = seed
        self._datasets = manifest.strings("dataset")
        self._strata = list(zip(self._datasets, manifest.column("label"), strict=True))
        self.rules = {name: rules.of(name) for name in sorted(set(self._datasets))}
        self.splits = np.full(len(manifest), None, dtype=object)
        self.provenance: dict[str, dict[str, Any]] = {}
        # Rows that a fixed rule puts into train and that validation is held out of.
        self._train_pool = np.zeros(len(manifest), dtype=bool)

    def stratified_rows(self) -> npt.NDArray[np.bool_]:
        """Return the rows that can be drawn individually, ignoring groups; shape (N,).

        Raises:
            OptionError: No dataset has a `stratified` rule.
        """
        names = [name for name, rule in self.rules.items() if isinstance(rule, StratifiedRule)]
        if self.rules and not names:
            texts = ", ".join(sorted({rule.text for rule in self.rules.values()}))
            raise OptionError(
                f"groups can't be ignored with the split rule {texts}; "
                "use a stratified rule, for instance --split stratified:8:1:1"
            )
        return np.isin(self._datasets.astype(str), names)

    def apply_fixed_rules(self) -> None:
        """Assign the rows of datasets whose rule fixes their splits.

        Raises:
            ManifestError: A row lacks the value that its rule needs.
            OptionError: A rule can't be applied to its dataset.
        """
        for dataset, rule in self.rules.items():
            rows = np.flatnonzero(self._datasets == dataset)
            values = needed_values(self._manifest, rows, dataset, rule)
            if not isinstance(rule, FixedRule):
                continue
            splits = np.array(rule.assign(dataset, *values), dtype=object)
            for key, value in rule.provenance(*values).items():
                self.provenance.setdefault(key, {})[dataset] = value
            if (splits == "validation").any():
                logger.info("%s has a validation split; none is held out of train", dataset)
            elif self._validation:
                self._train_pool[rows] = splits == "train"
                splits[splits == "train"] = None
            self.splits[rows] = splits

    def draw(self, group_names: npt.NDArray[np.object_]) -> None:
        """Draw test, then validation, from the open rows; the rest is train."""
        _, group = np.unique(group_names.astype(str), return_inverse=True)
        self._follow_groups(group)
        ratios = [rule for rule in self.rules.values() if isinstance(rule, RatioRule)]
        repeat = max((rule.repeat for rule in ratios), default=1)
        for part in ("test", "validation"):
            wanted = self._wanted(part)
            candidates = self._open()
            if part == "test":
                candidates &= ~_any_in_group(self._train_pool, group)
            rows = np.flatnonzero(candidates)
            if rows.size and any(wanted.values()):
                strata = [self._strata[row] for row in rows]
                draw = part if repeat == 1 else f"{part}@{repeat}"
                selected = select_groups(strata, group_names[rows], wanted, self._seed, draw)
                self.splits[rows[selected]] = part
        self.splits[self._open()] = "train"

    def _follow_groups(self, group: npt.NDArray[np.int64]) -> None:
        """Assign open rows to the split in which a fixed rule puts a row of their group.

        If a group is fixed in several splits, open rows go to test before validation before train.
        Rows that are fixed as train or validation never go to test.
        """
        is_open = self._open()
        for part in SPLITS:  # the last match counts
            followers = is_open & _any_in_group(self.splits == part, group)
            if part == "test":
                followers &= ~self._train_pool
            self.splits[followers] = part

    def _open(self) -> npt.NDArray[np.bool_]:
        """Return the rows that are in no split yet."""
        return np.asarray(pd.isna(self.splits))

    def _wanted(self, part: str) -> Counter[Stratum]:
        """Return how many rows of each dataset and class are still to be drawn for a split."""
        wanted: Counter[Stratum] = Counter()
        for dataset, rule in self.rules.items():
            rows = self._datasets == dataset
            if isinstance(rule, RatioRule):
                fraction = rule.test if part == "test" else rule.validation
            elif part == "validation":
                fraction, rows = self._validation, rows & self._train_pool
            else:
                continue
            wanted.update(quotas(self._count(rows), fraction))
            wanted.subtract(self._count(rows & (self.splits == part)))
        return Counter({key: rows for key, rows in wanted.items() if rows > 0})

    def _count(self, mask: npt.NDArray[np.bool_]) -> Counter[Stratum]:
        return Counter(self._strata[row] for row in np.flatnonzero(mask))


def _any_in_group(
    mask: npt.NDArray[np.bool_], group: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return for each row whether the mask is true for any row of its group."""
    found = np.bincount(group[mask], minlength=int(group.max(initial=0)) + 1) > 0
    return np.asarray(found[group])


def needed_values(
    manifest: Manifest, rows: npt.NDArray[np.int64], dataset: str, rule: SplitRule
) -> list[list[str]]:
    """Return what the rows of a dataset hold in each column that their rule needs.

    Args:
        manifest: All rows.
        rows: Positions of those of the dataset, shape (N,).
        dataset: The dataset, for messages.
        rule: Its rule.

    Raises:
        ManifestError: A row holds nothing there.
    """
    found = []
    for column in rule.needs:
        values = manifest.table.column(column).take(rows).to_pylist()
        if missing := values.count(None):
            name = manifest.table.column("sample_id")[int(rows[values.index(None)])].as_py()
            raise ManifestError(
                f"{missing} rows of {dataset} have no {column.replace('_', ' ')} (for instance "
                f"{name!r}), which the split rule {rule.text} needs; "
                "use another rule: --split stratified:8:1:1"
            )
        found.append(values)
    return found
