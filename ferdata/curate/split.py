"""Splitting: who is in train, validation and test.

`official` keeps the split of a dataset's authors and carves validation out of train where they
have none. `stratified:8:1:1` makes a split of its own. Both keep groups together (same subject,
sequence or pixels; see `ferdata.curate.groups`), draw by a hash of the group's name, so that the
order of rows is of no importance, and give each class its exact share by largest remainder.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ferdata.curate.groups import groups
from ferdata.curate.rules import SplitRule, StratifiedRule, parse_rule
from ferdata.draws import rank
from ferdata.errors import ManifestError, OptionError
from ferdata.manifest import Manifest

logger = logging.getLogger(__name__)

Stratum: TypeAlias = tuple[str, str]
"""Dataset and class: each pair gets its exact share."""


def split(
    manifest: Manifest,
    rule: str | SplitRule = "official",
    *,
    validation: float = 0.1,
    seed: int = 0,
) -> Manifest:
    """Fill the column `split`.

    Args:
        manifest: Source images only: splitting comes before augmentation.
        rule: A rule, or its text form; see `ferdata.curate.rules.parse_rule`.
        validation: For `official`: the part of train that becomes validation in each dataset
            that ships none; 0 carves nothing. Datasets with a validation split keep it.
        seed: Draws other rows into the parts.

    Returns:
        The same rows in the same order, each in a split; provenance under `"split"`.

    Raises:
        UnknownNameError: There is no such rule.
        OptionError: `validation` is not in 0 ≤ validation < 1, or the rule makes no sense.
        ManifestError: The manifest has augmented copies, or rows without the official split.
    """
    if isinstance(rule, str):
        rule = parse_rule(rule)
    if not 0 <= validation < 1:
        raise OptionError(f"validation is a part of train, 0 ≤ part < 1; got {validation}")
    if manifest.table.column("parent_id").null_count != len(manifest):
        raise ManifestError(
            "the manifest has augmented copies; split first and augment then, "
            "or copies of one photograph end up in train and test"
        )
    facts: dict[str, object]
    if isinstance(rule, StratifiedRule):
        names = _stratified(manifest, rule, seed)
        parts = [str(part) for part in (rule.train, rule.validation, rule.test)]
        facts = {"rule": "stratified", "parts": parts, "seed": seed}
    else:
        names = _official(manifest, validation, seed)
        facts = {"rule": "official", "validation": validation, "seed": seed}
    done = manifest.with_column("split", names.tolist())
    counts = done.counts()
    _warn_of_empty_classes(counts)
    return done.with_provenance("split", {**facts, "counts": counts})


def _official(manifest: Manifest, validation: float, seed: int) -> npt.NDArray[np.object_]:
    """Return the official split of each row, validation carved out of train."""
    names = manifest.strings("official_split")
    _require_official(manifest)
    datasets = manifest.strings("dataset")
    has_validation = set(datasets[names == "validation"])
    for dataset in sorted(has_validation):
        logger.info("%s keeps its own validation split; none is carved out of train", dataset)
    without = np.array([dataset not in has_validation for dataset in datasets], dtype=bool)
    candidates = np.flatnonzero((names == "train") & without)
    if not validation or not candidates.size:
        return names
    source = manifest.take(candidates)
    strata = _strata(source)
    # Fraction(str(·)): a tenth of 30 rows is 3, not what the nearest double makes of it.
    wanted = quotas(Counter(strata), Fraction(str(validation)))
    names[candidates[_carve(strata, groups(source), wanted, seed, "validation")]] = "validation"
    return names


def _stratified(manifest: Manifest, rule: StratifiedRule, seed: int) -> npt.NDArray[np.object_]:
    """Return a new split of each row: test is drawn first, then validation from the rest."""
    names = np.full(len(manifest), "train", dtype=object)
    strata = _strata(manifest)
    group_names = groups(manifest)
    counts = Counter(strata)
    for part, share in (("test", rule.test), ("validation", rule.validation)):
        free = np.flatnonzero(names == "train")
        chosen = _carve(
            [strata[row] for row in free], group_names[free], quotas(counts, share), seed, part
        )
        names[free[chosen]] = part
    return names


def quotas(counts: Mapping[Stratum, int], share: Fraction) -> dict[Stratum, int]:
    """Share out rows over the classes of each dataset by largest remainder (Hamilton's method).

    Args:
        counts: Rows by dataset and class.
        share: The part wanted of each.

    Returns:
        Rows to draw from each; they sum, for each dataset, to its rows × share rounded half up,
        and each is within one of its own rows × share. Ties go to the first class by name.
    """
    wanted: dict[Stratum, int] = {}
    for dataset in sorted({dataset for dataset, _ in counts}):
        exact = {key: counts[key] * share for key in sorted(counts) if key[0] == dataset}
        whole = {key: math.floor(value) for key, value in exact.items()}
        missing = math.floor(sum(exact.values()) + Fraction(1, 2)) - sum(whole.values())
        by_remainder = sorted(exact, key=lambda key: (whole[key] - exact[key], key))
        wanted.update(whole)
        for key in by_remainder[:missing]:
            wanted[key] += 1
    return wanted


def _carve(
    strata: list[Stratum],
    group_names: npt.NDArray[np.object_],
    wanted: Mapping[Stratum, int],
    seed: int,
    part: str,
) -> npt.NDArray[np.int64]:
    """Choose whole groups, in seeded order, whose rows come to the wanted counts.

    Groups that fit are taken first; then those whose surplus is smaller than the gap they close.
    With groups of one row the counts are met exactly, whatever else there is while they last.

    Returns:
        Positions of the chosen rows, ascending, int64.
    """
    members: dict[str, list[int]] = {}
    for row, name in enumerate(group_names):
        members.setdefault(name, []).append(row)
    # Shuffled by hash, never by size: large groups must not always go to the same side.
    order = sorted(members, key=lambda name: (rank(seed, f"split:{part}:{name}"), name))
    contents = {name: Counter(strata[row] for row in members[name]) for name in order}
    gap = Counter(wanted)
    chosen: set[str] = set()
    for accepts in (_fits, _brings_closer):
        for name in order:
            if name not in chosen and accepts(contents[name], gap):
                gap.subtract(contents[name])
                chosen.add(name)
    rows = sorted(row for name in chosen for row in members[name])
    if any(gap.values()):
        logger.warning(
            "%s has %d of the %d rows asked for: groups (same subject, sequence or pixels) are "
            "not taken apart",
            part,
            len(rows),
            sum(wanted.values()),
        )
    return np.array(rows, dtype=np.int64)


def _fits(content: Counter[Stratum], gap: Counter[Stratum]) -> bool:
    """Tell whether no class would get more rows than it lacks."""
    return all(rows <= gap[key] for key, rows in content.items())


def _brings_closer(content: Counter[Stratum], gap: Counter[Stratum]) -> bool:
    """Tell whether the classes would be nearer to their wanted counts, summed over classes."""
    after = sum(abs(gap[key] - rows) for key, rows in content.items())
    return after < sum(abs(gap[key]) for key in content)


def _strata(manifest: Manifest) -> list[Stratum]:
    return list(zip(manifest.column("dataset"), manifest.column("label"), strict=True))


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
