"""Class shares: how well counts of images by class fit what is published of a dataset.

The measure is that of the multinomial likelihood-ratio test, G = 2 Σ n ln(n / (N p)) for counts n
with sum N and published shares p. Two readings of one set of counts differ in the logarithm of
their likelihoods by half the difference of their G.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from ferdata.core.labels import CANONICAL
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.fingerprints import known_prints, resembles

CLEAR = 2 * math.log(1000)
"""Difference in G from which one reading counts as ruled out by another: 1,000 to 1."""

_Z = 3.09  # normal quantile of 0.999
_SLACK = 0.01
"""G / 2N, the divergence in nats, that copies may have which lack or add a few images."""

Parts = Mapping[str, Mapping[str, int]]
"""Images by part of a copy and class."""


def misfit(parts: Parts, dataset: str) -> float:
    """Return G of counts against the shares of a dataset; of its splits, the nearest to each part.

    Returns:
        Infinity if no shares of it are known.
    """
    references = [each.astype(float) for owner, _, each in known_prints() if owner == dataset]
    if not references:
        return math.inf
    total = 0.0
    for part in parts.values():
        total += min(_statistic(_vector(part), each) for each in references)
    return total


def fits(parts: Parts, dataset: str) -> bool:
    """Say whether counts could be a random part of a dataset, or a copy that lacks a few images."""
    statistic, total = misfit(parts, dataset), sum(map(_total, parts.values()))
    freedom = sum(max(len(part) - 1, 1) for part in parts.values())
    return total > 0 and statistic <= max(_limit(freedom), 2 * total * _SLACK)


def even_misfit(parts: Parts) -> float:
    """Return G of counts against equal shares of the classes that occur."""
    return sum(
        _statistic(_vector(part), (_vector(part) > 0).astype(np.float64)) for part in parts.values()
    )


def evidence_of_shares(
    dataset: str, parts: Parts, rivals: Iterable[str] = ()
) -> tuple[Evidence, ...]:
    """Return what the class counts of a copy say for a dataset; empty if nothing.

    Args:
        dataset: The dataset.
        parts: Images by part and canonical name of the class.
        rivals: The other datasets.
    """
    counts: dict[str, int] = {}
    for part in parts.values():
        for label, number in part.items():
            counts[label] = counts.get(label, 0) + number
    total = sum(counts.values())
    if any(resembles(each, dataset) for each in (counts, *parts.values())):
        return (Evidence(Sign.COUNTS, f"{total:,} images with the class counts of {dataset}"),)
    own = misfit(parts, dataset)
    others = [misfit(parts, each) for each in rivals if each != dataset]
    if fits(parts, dataset) and min([even_misfit(parts), *others]) > own + CLEAR:
        return (Evidence(Sign.SHARES, f"the class shares of {total:,} images are {dataset}'s"),)
    return ()


def _statistic(counts: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> float:
    """Return G; half an image is added to each published count, so that none is impossible."""
    total = counts.sum()
    if not total:
        return 0.0
    expected = (reference + 0.5) / (reference.sum() + 0.5 * reference.size)
    if reference.max() <= 1:  # equal shares, not counts
        expected = np.where(reference > 0, 1.0 / max(reference.sum(), 1.0), 1e-9)
    there = counts > 0
    return float(2 * (counts[there] * np.log(counts[there] / (total * expected[there]))).sum())


def _limit(freedom: int) -> float:
    """Return the 0.999 quantile of χ² (Wilson and Hilferty, PNAS 17, 1931)."""
    spread = 2 / (9 * freedom)
    return float(freedom * (1 - spread + _Z * math.sqrt(spread)) ** 3)


def _vector(counts: Mapping[str, int]) -> npt.NDArray[np.float64]:
    return np.array([counts.get(name, 0) for name in CANONICAL], dtype=np.float64)


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())
