"""Comparing the counts that a recipe's paper prints with those of a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ferdata.core.manifest import Manifest
from ferdata.core.schema import SPLITS
from ferdata.recipes import Expected, Recipe
from ferdata.shards.options import BuildOptions
from ferdata.shards.record import PaperCounts, RecipeRecord

Counts = Mapping[str, Mapping[str, int]]

_BY_CLASS = ("original", "counts")
"""The kinds of count that are given by class."""


def recipe_record(
    recipe: Recipe, name: str, source: Manifest, stored: Manifest, options: BuildOptions
) -> RecipeRecord:
    """Return the part of a build's record about its recipe.

    Args:
        recipe: The recipe.
        name: The dataset or mix that was built.
        source: The source images with their splits.
        stored: All rows as stored, augmented copies included.
        options: The build's options. With `leak_free`, only counts of source images are compared,
            since the others differ from the paper on purpose.
    """
    scale = stored.provenance.get("ingest", {}).get("synthetic_scale", 1)
    before, after = source.counts(), stored.counts()
    tables = []
    for each in recipe.protocol(name).expected:
        pairs = _pairs(each, before, after, options)
        if scale != 1:
            tables.append(_not_compared(each, f"this is a synthetic copy at scale {scale:g}"))
        elif not pairs:
            tables.append(_not_compared(each, "--leak-free deviates from the paper"))
        else:
            tables.append(_compare(each, pairs))
    return RecipeRecord(name=recipe.name, leak_free=options.leak_free, expected=tuple(tables))


def _pairs(
    expected: Expected, before: Counts, after: Counts, options: BuildOptions
) -> dict[str, tuple[Mapping[str, int], Mapping[str, int]]]:
    """Return, for each kind of count, the paper's numbers and those of the build."""
    wanted = expected.split
    pairs = {"original": (expected.original, _by_class(before, wanted))}
    if not options.leak_free:
        # Splits and totals are of the images that there were when the paper split them.
        splits = _by_split(after if options.augments_first else before)
        total = sum(splits.values())
        if "validation" not in expected.splits:
            splits["train"] += splits.pop("validation")
        pairs["counts"] = (expected.counts, _by_class(after, wanted))
        pairs["splits"] = (expected.splits, splits)
        printed = {} if expected.total is None else {"all": expected.total}
        pairs["total"] = (printed, {"all": total})
    return {kind: pair for kind, pair in pairs.items() if pair[0]}


def _not_compared(expected: Expected, why: str) -> PaperCounts:
    return PaperCounts(where=expected.where, why=f"not compared: {why}")


def _compare(
    expected: Expected, pairs: Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]]
) -> PaperCounts:
    differences = {kind: _differences(kind, paper, built) for kind, (paper, built) in pairs.items()}
    return PaperCounts(
        where=expected.where,
        compared=tuple(sorted(pairs)),
        matches=not any(differences.values()),
        differences={kind: rows for kind, rows in differences.items() if rows},
        why=expected.why,
    )


def _differences(
    kind: str, paper: Mapping[str, int], built: Mapping[str, int]
) -> dict[str, dict[str, int | None]]:
    """Return the numbers of the build and of the paper where they differ.

    A table of classes is complete: a class that was built but is not in it differs too, and its
    number in the paper is None. Splits that the paper doesn't mention are not compared.
    """
    names = dict.fromkeys([*paper, *built] if kind in _BY_CLASS else paper)
    return {
        name: {"built": built.get(name, 0), "paper": paper.get(name)}
        for name in names
        if built.get(name, 0) != paper.get(name, 0)
    }


def describe_comparison(table: PaperCounts) -> str:
    """Describe in one line how a build compares with one of its paper's tables."""
    if table.matches is None:
        return f"{table.where}: {table.why}"
    if table.matches:
        only = " (images before augmentation)" if table.compared == ("original",) else ""
        return f"matches {table.where} exactly{only}"
    differing = [
        f"{name} {numbers['built']:,}, {_printed(numbers['paper'])}"
        + (" (before augmentation)" if part == "original" else "")
        for part, rows in table.differences.items()
        for name, numbers in rows.items()
    ]
    because = f" ({table.why})" if table.why else ""
    return f"differs from {table.where}: {_first(differing)}{because}"


def _printed(number: int | None) -> str:
    return "not in the paper" if number is None else f"paper {number:,}"


def _first(parts: Sequence[str], most: int = 8) -> str:
    more = f"; and {len(parts) - most} more, see build.json" if len(parts) > most else ""
    return "; ".join(parts[:most]) + more


def _by_class(counts: Counts, split: str) -> dict[str, int]:
    """Return the rows of each class in a split, or in all splits if `split` is empty."""
    chosen = [counts[split]] if split else counts.values()
    labels = dict.fromkeys(label for rows in chosen for label in rows)
    return {label: sum(rows.get(label, 0) for rows in chosen) for label in labels}


def _by_split(counts: Counts) -> dict[str, int]:
    return {split: sum(counts[split].values()) for split in SPLITS}
