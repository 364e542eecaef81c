"""Whose codes are these? Orders of class codes in circulation, told apart by the class shares.

Copies of FER2013 and RAF-DB have folders 0–6 that are numbered by one of several orders. Read in
the wrong one, they load without an error and train to plausible, wrong numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ferdata.core.errors import LabelError, OptionError, WrongLabelsError
from ferdata.core.labels import BASIC7, BASIC8
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.info import DatasetInfo, load_info, shipped_file

logger = logging.getLogger(__name__)

AUTO = "auto"
"""The choice that lets the class shares decide."""

CodeOrder = Literal[
    "alphabetical", "alphabetical-8", "fer2013", "rafdb", "rafdb-0", "affectnet", "ferplus"
]

CODE_ORDERS: tuple[str, ...] = get_args(CodeOrder)
"""The known orders: those of datasets, RAF-DB's less one (`rafdb-0`, as in several training
repositories), and that of folders named angry, disgust, fear, happy, neutral, sad, surprise,
without or with contempt (`alphabetical`, `alphabetical-8`)."""

_SIGNIFICANCE = 0.001
"""An order is ruled out where shares like those here would be rarer than this under it."""

_SAME = 0.01
"""Shares that differ by less than this count as equal, however many rows there are: parts of a
dataset are no random samples. As G / N, twice the Kullback–Leibler divergence; fer2013 and
alphabetical, the closest two orders, differ by 0.05 on FER2013's counts."""


def code_order(name: str) -> dict[int, str]:
    """Return the class of each code in one of `CODE_ORDERS`."""
    if name == "alphabetical":
        return dict(enumerate(BASIC7.names))
    if name == "alphabetical-8":
        return dict(enumerate(BASIC8.names))
    dataset, zero_based = name.removesuffix("-0"), name.endswith("-0")
    codes = load_info(shipped_file(dataset), dataset).codes
    return {code - zero_based: label for code, label in codes.items()}


@dataclass(frozen=True)
class CodeCounts:
    """The codes of a copy.

    Attributes:
        dataset: The dataset that the copy is read as.
        counts: Rows by code.
        published: Rows of the complete dataset by class.
        offered: The orders that may be asked for.
        where: The copy, for messages.
    """

    dataset: str
    counts: Mapping[int, int]
    published: Mapping[str, int]
    offered: Sequence[str]
    where: str

    @classmethod
    def of(cls, info: DatasetInfo, counts: Mapping[int, int], where: str = "") -> CodeCounts:
        """Describe the codes of a copy of a dataset that offers the choice `codes`."""
        offered = [name for name in info.choices["codes"] if name != AUTO]
        return cls(info.name, counts, info.images_by_class, offered, where)

    def possible(self) -> list[str]:
        """Return the offered orders that have all the codes."""
        return [name for name in self.offered if set(self.counts) <= set(code_order(name))]

    def fits(self, order: str) -> bool:
        """Say whether the class shares under an order are those of the dataset.

        A likelihood-ratio (G) test of a multinomial distribution.
        """
        import numpy as np  # noqa: PLC0415 - with scipy, only where codes are read
        from scipy.stats import power_divergence  # noqa: PLC0415

        codes = code_order(order)
        here = dict.fromkeys(self.published, 0)
        for code, rows in self.counts.items():
            if codes[code] not in here:
                return False
            here[codes[code]] += rows
        observed = np.array(list(here.values()), float)
        shares = np.array(list(self.published.values()), float)
        expected = shares / shares.sum() * observed.sum()
        test = power_divergence(observed, expected, lambda_="log-likelihood")
        return bool(test.pvalue > _SIGNIFICANCE or test.statistic < _SAME * observed.sum())

    def decide(self, asked: str = AUTO) -> str:
        """Return the order of the codes.

        Args:
            asked: The order that the user names, or `AUTO`.

        Raises:
            OptionError: Several orders are possible, and none was named.
            WrongLabelsError: The named order contradicts the class shares.
            LabelError: It lacks a code.
        """
        possible = self.possible()
        if not possible:
            codes = ", ".join(map(str, sorted(self.counts)))
            raise LabelError(
                f"{self.where}: no known order of {self.dataset} has all of the codes {codes}; "
                "rename the folders to the classes' names."
            )
        if asked != AUTO and asked not in possible:
            codes = ", ".join(map(str, sorted(self.counts)))
            raise LabelError(f"--codes {asked} has not all the codes in {self.where}: {codes}.")
        fitting = [order for order in possible if self.fits(order)]
        if asked == AUTO and len(fitting) == 1:
            logger.warning(
                "%s: the codes in %s are in the order %s, by their class shares",
                self.dataset,
                self.where,
                fitting[0],
            )
            return fitting[0]
        if asked == AUTO:
            orders = " or ".join(f"--codes {order}" for order in fitting or possible)
            raise OptionError(
                f"{self.where}: the codes {min(self.counts)}–{max(self.counts)} could be in "
                "several orders, and neither names nor class shares tell which. Name the right "
                f"one: {orders}."
            )
        if fitting and asked not in fitting:
            raise WrongLabelsError(
                f"{self.where}: in the order {asked}, the class shares are not those of "
                f"{self.dataset}; in the order {fitting[0]} they are. Labels that are believed "
                f"wrong are not written: use --codes {fitting[0]}."
            )
        return asked


def labels_by_code(
    layout: Layout, info: DatasetInfo, counts: Mapping[int, int], asked: str
) -> dict[int, str]:
    """Return the class of each code of a copy, and record in the layout what decided it.

    Args:
        layout: The copy.
        info: The dataset, which offers the choice `codes`.
        counts: Rows by code.
        asked: The value of the choice.

    Raises:
        FerdataError: As for `CodeCounts.decide`.
    """
    order = CodeCounts.of(info, counts, str(layout.root)).decide(asked)
    why = "by the class shares" if asked == AUTO else "as asked"
    layout.decisions.append(f"the codes of {info.name} are read in the order {order}, {why}")
    return code_order(order)
