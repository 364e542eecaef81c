"""Whose class counts and whose code order are these? Only this module asks the known datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.labels import CANONICAL
from ferdata.ingesters.code_orders import code_order
from ferdata.ingesters.fingerprints import suspicions
from ferdata.ingesters.info import PUBLISHED, DatasetInfo
from ferdata.ingesters.lookup import dataset_info, dataset_names
from ferdata.ingesters.order_names import ORDER_NAMES
from ferdata.ingesters.shares import fits

_MIXED = "the labels are mixed up"

LEAST_ROWS = 200
"""Images below which class shares say nothing."""


@dataclass(frozen=True)
class Doubt:
    """A reason to doubt what a set is.

    Attributes:
        text: The sentence, which begins with the split.
        mixed: Whether it is about the order of labels, else about the dataset.
    """

    text: str
    mixed: bool


def doubts(
    name: str, counts: Mapping[str, Mapping[str, int]], folder: Path | None = None
) -> list[Doubt]:
    """Compare counts with the fingerprints of all datasets.

    Args:
        name: The dataset that a set was read as, or the name of a set of one's own.
        counts: Images by split and class.
        folder: The set's folder, whose name may be another dataset's.
    """
    named = {split or "images without a split": rows for split, rows in counts.items()}
    return [Doubt(text, _MIXED in text) for text in suspicions(name, named, folder)]


@dataclass(frozen=True)
class Fit:
    """A dataset and an order of codes under which class shares are that dataset's."""

    dataset: str
    order: str


def fitting_orders(codes: Mapping[int, int], dataset: str | None = None) -> list[Fit]:
    """Find the orders of codes under which the class shares are those of a known dataset.

    Orders are tried as they are and counted from 1, by the likelihood-ratio test of
    `ferdata.ingesters.shares`.

    Args:
        codes: Images by code.
        dataset: Only this dataset; None for all.
    """
    names = dataset_names() if dataset is None else (dataset,)
    found = []
    for info in map(dataset_info, names):
        if info.counts_status != PUBLISHED or not set(info.codes.values()) <= set(CANONICAL):
            continue
        for order, shifted in _readings(codes):
            label, _, _ = order.partition(" ")
            if _fits(info, shifted, label):
                found.append(Fit(info.name, order))
    return found


def class_codes(counts: Mapping[str, int]) -> dict[int, int]:
    """Number classes in the canonical order, so that `shares_fit` can compare them."""
    return {CANONICAL.index(name): rows for name, rows in counts.items() if name in CANONICAL}


def shares_fit(counts: Mapping[str, int], info: DatasetInfo) -> bool:
    """Say whether class shares are those of a dataset, whose classes they must all be."""
    if not set(counts) <= set(CANONICAL):
        return False
    present = {name: rows for name, rows in counts.items() if rows}
    return _fits(info, class_codes(present), "alphabetical-8")


def _fits(info: DatasetInfo, codes: Mapping[int, int], order: str) -> bool:
    """Say whether the class shares of codes in an order are those of a dataset."""
    labels = code_order(order)
    return fits({"all": {labels[code]: rows for code, rows in codes.items()}}, info.name)


def own_order(info: DatasetInfo) -> str:
    """Return the name of a dataset's own order; empty where it is none of the known ones."""
    return next((order for order in ORDER_NAMES if code_order(order) == info.codes), "")


def _readings(codes: Mapping[int, int]) -> Iterator[tuple[str, dict[int, int]]]:
    """Yield each order that has all codes, with the codes counted as it counts them."""
    shifts = {"": 0, " counted from 1": 1}
    for order in ORDER_NAMES:
        known = set(code_order(order))
        for words, shift in shifts.items():
            shifted = {code - shift: rows for code, rows in codes.items()}
            if set(shifted) <= known and (not shift or min(known) == 0):
                yield order + words, shifted
