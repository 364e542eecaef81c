"""The orders of label codes: which class each code of a copy stands for.

Every dataset numbers the classes in its own way, and folders that were numbered by a program are
in alphabetical order. Read in the wrong order, a copy loads without an error and trains to
plausible, wrong numbers. Which order a copy has, `ferdata.ingesters.order_choice` finds out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ferdata.core.errors import LabelError, OptionError, UnknownNameError
from ferdata.core.labels import BASIC7, BASIC8, CANONICAL, canonical_name
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.info import DatasetInfo, load_info, shipped_file
from ferdata.ingesters.order_names import CODES_CHOICE, OF_CODES, ORDER_NAMES

_CK48 = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "contempt")
_FIXED = {"alphabetical": BASIC7.names, "alphabetical-8": BASIC8.names, "ck48": _CK48}


@dataclass(frozen=True)
class CodeOrder:
    """An order of label codes.

    Attributes:
        name: Its name, or its text as given.
        labels: Code and class, sorted by code.
    """

    name: str
    labels: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, name: str, codes: Mapping[int, str]) -> CodeOrder:
        """Return an order from the class of each code."""
        return cls(name, tuple(sorted(codes.items())))

    @property
    def codes(self) -> dict[int, str]:
        """The class of each code."""
        return dict(self.labels)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(f'{code} {label}' for code, label in self.labels)})"

    def same(self, other: CodeOrder, codes: Iterable[int]) -> bool:
        """Say whether two orders read some codes alike."""
        mine, theirs = self.codes, other.codes
        return all(mine.get(code) == theirs.get(code) for code in codes)


def code_order(name: str) -> dict[int, str]:
    """Return the class of each code in one of `ORDER_NAMES`.

    Raises:
        UnknownNameError: There is no such order.
    """
    if name not in ORDER_NAMES:
        raise UnknownNameError("order of label codes", name, ORDER_NAMES)
    if name in _FIXED:
        return dict(enumerate(_FIXED[name]))
    dataset, zero_based = name.removesuffix("-0"), name.endswith("-0")
    codes = load_info(shipped_file(dataset), dataset).codes
    return {code - zero_based: label for code, label in codes.items()}


def own_order(dataset: DatasetInfo) -> CodeOrder:
    """Return the order of a dataset's own codes."""
    return CodeOrder.of(dataset.name, dataset.codes)


def known_order(name: str, dataset: DatasetInfo, codes: Iterable[int]) -> CodeOrder:
    """Return an order by name; the alphabetical one is that of the dataset's classes.

    Args:
        name: One of `ORDER_NAMES`.
        dataset: The dataset.
        codes: The codes of the copy: where they are too few for all classes, contempt is left out;
            they may begin at 1.

    Raises:
        UnknownNameError: There is no such order.
    """
    if name != "alphabetical":
        return CodeOrder.of(name, code_order(name))
    seen, names = set(codes), sorted(set(dataset.codes.values()))
    if len(names) > len(seen) and max(seen, default=0) - min(seen, default=0) < len(names) - 1:
        names = [each for each in names if each != "contempt"]
    start = 1 if seen and min(seen) == 1 and max(seen) == len(names) else 0
    return CodeOrder.of(name, dict(enumerate(names, start)))


def named_order(text: str, dataset: DatasetInfo, codes: Iterable[int]) -> CodeOrder:
    """Return the order of a name, or of `0=anger,1=disgust,…`.

    Raises:
        OptionError: The text is neither.
    """
    return _own_order(text) if "=" in text else known_order(text, dataset, codes)


def check_codes_option(text: str) -> None:
    """Check the text of `--codes`: the name of an order, or `0=anger,1=disgust,…`.

    Raises:
        OptionError: It is neither.
    """
    if "=" in text:
        _own_order(text)
    elif text not in ORDER_NAMES:
        known = [*ORDER_NAMES, "0=anger,1=disgust,…"]
        raise UnknownNameError("order of label codes (--codes)", text, known)


def asked_codes(layout: Layout, dataset: DatasetInfo, choices: Choices) -> dict[int, str]:
    """Return the class of each code: in the order asked for, else in the dataset's own.

    Whether it can be right is checked when all rows have been read, see `tally`.

    Raises:
        OptionError: The order is none.
    """
    wanted = choices.get(CODES_CHOICE)
    if wanted is None:
        return dict(dataset.codes)
    order = named_order(wanted, dataset, dataset.codes)
    layout.decide(asked_for(order))
    return order.codes


def asked_for(order: CodeOrder) -> str:
    """Return what to record of an order that the user asked for."""
    return f"{OF_CODES} asked for: {order}"


def _own_order(text: str) -> CodeOrder:
    """Read `0=anger,1=disgust,…`."""
    labels: dict[int, str] = {}
    for item in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*=\s*([A-Za-z]+)\s*", item)
        if match is None or int(match[1]) in labels:
            raise OptionError(f"--codes {text}: expected CODE=CLASS,… such as 0=anger,1=disgust")
        try:
            labels[int(match[1])] = canonical_name(match[2])
        except LabelError:
            raise OptionError(
                f"--codes {text}: {match[2]!r} is no class; expected {', '.join(CANONICAL)}"
            ) from None
    return CodeOrder.of(text, labels)
