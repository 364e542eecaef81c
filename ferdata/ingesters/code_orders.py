"""Which class a label code stands for, where a copy's codes can be in several datasets' orders.

Every dataset numbers the classes in its own way, and folders that were numbered by a program are
in alphabetical order. Names in the files decide; else the class shares do, if one order fits the
published ones and all others are ruled out; else it is asked. An order that the shares rule out is
refused, since its labels would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ferdata.core.errors import CodeOrderError, LabelError, OptionError, UnknownNameError
from ferdata.core.labels import CANONICAL, canonical_name
from ferdata.ingesters.class_folders import expression
from ferdata.ingesters.contract import Choices
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.lookup import dataset_info
from ferdata.ingesters.notices import Notices
from ferdata.ingesters.order_names import CODES_CHOICE, ORDER_NAMES
from ferdata.ingesters.shares import CLEAR, Parts, fits, misfit

MIN_ROWS = 200
"""Fewer images decide nothing."""

_CK48 = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "contempt")

CodeParts = Mapping[str, Mapping[int, int]]
"""Images by part of a copy and label code."""


@dataclass(frozen=True)
class CodeOrder:
    """An order of label codes.

    Attributes:
        name: Its name, or its text as given.
        labels: Code and class, sorted by code.
    """

    name: str
    labels: tuple[tuple[int, str], ...]

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


def known_order(name: str, dataset: DatasetInfo, codes: Iterable[int]) -> CodeOrder:
    """Return an order by name; the alphabetical one depends on the dataset's classes and codes.

    Raises:
        UnknownNameError: There is no such order.
    """
    if name == "alphabetical":
        seen, names = set(codes), sorted(set(dataset.codes.values()))
        if len(names) > len(seen) and max(seen, default=0) - min(seen, default=0) < len(names) - 1:
            names = [each for each in names if each != "contempt"]
        start = 1 if seen and min(seen) == 1 and max(seen) == len(names) else 0
        labels: Mapping[int, str] = dict(enumerate(names, start))
    elif name == "rafdb-0":
        labels = {code - 1: label for code, label in dataset_info("rafdb").codes.items()}
    elif name == "ck48":
        labels = dict(enumerate(_CK48))
    elif name in ORDER_NAMES:
        labels = dataset_info(name).codes
    else:
        raise UnknownNameError("order of label codes", name, ORDER_NAMES)
    return CodeOrder(name, tuple(sorted(labels.items())))


def own_order(dataset: DatasetInfo) -> CodeOrder:
    """Return the order of a dataset's own codes."""
    return CodeOrder(dataset.name, tuple(sorted(dataset.codes.items())))


def check_codes_option(text: str) -> str:
    """Check the text of `--codes`: the name of an order, or `0=anger,1=disgust,…`.

    Raises:
        OptionError: It is neither.
    """
    if "=" in text:
        _own_order(text)
    elif text not in ORDER_NAMES:
        raise UnknownNameError("order of label codes (--codes)", text,
                               [*ORDER_NAMES, "0=anger,1=disgust,…"])  # fmt: skip
    return text


def choose_order(
    dataset: DatasetInfo, parts: CodeParts, wanted: str | None, where: str
) -> tuple[CodeOrder, str]:
    """Choose the order in which a copy's codes are read.

    Args:
        dataset: The dataset.
        parts: Images by part and code.
        wanted: The order that was asked for, as text; None to find it.
        where: The copy, for messages.

    Returns:
        The order, and a sentence on why it is this one.

    Raises:
        LabelError: The codes fit no order, or not the one asked for.
        CodeOrderError: The class shares rule out the order asked for.
        OptionError: Several orders are possible: one must be named.
    """
    parts = without_strays(dataset, parts)
    seen = sorted({code for part in parts.values() for code in part})
    possible = _possible(dataset, seen)
    if wanted is not None:
        order = _wanted(wanted, dataset, seen, where)
        check_order(dataset, order, parts, where)
        return order, f"label codes are read in the order asked for: {order}"
    if not possible:
        raise LabelError(
            f"{dataset.name}: the label codes {', '.join(map(str, seen[:12]))} in {where} are in "
            "no known order; give your own: --codes 0=anger,1=disgust,…"
        )
    fitting = _fitting(dataset, possible, parts)
    if len(fitting) == 1 or len(possible) == 1:
        order = (fitting or possible)[0]
        why = "the only one that fits the class shares" if fitting else "the only possible one"
        return order, f"label codes are read in the order {order}, {why}"
    asked = fitting or possible
    raise OptionError(
        f"{dataset.name}: the label codes in {where} can be in {len(asked)} orders, and neither "
        "names nor class shares tell which. Say it:\n"
        + "\n".join(f"  --codes {each.name:<14}{str(each).partition(' ')[2]}" for each in asked)
        + "\n  --codes 0=anger,1=…   your own"
    )


def check_order(dataset: DatasetInfo, order: CodeOrder, parts: CodeParts, where: str) -> None:
    """Refuse an order that the class shares rule out.

    Raises:
        CodeOrderError: Another order fits the published shares, and this one does not.
    """
    seen = sorted({code for part in parts.values() for code in part})
    possible = _possible(dataset, seen)
    fitting = _fitting(dataset, [order, *possible], parts)
    if not fitting or any(order.same(each, seen) for each in fitting):
        return
    raise CodeOrderError(
        f"{dataset.name}: the label codes in {where} are not in the order {order}: the class "
        f"shares of {sum(map(_sum, parts.values())):,} images rule it out, and fit "
        f"{fitting[0]}. Read them with --codes {fitting[0].name}"
    )


def best_reading(dataset: DatasetInfo, parts: Mapping[str, Mapping[str, int]]) -> Parts:
    """Return images by part and class, codes in that order that suits the dataset's shares best.

    This is for evidence only: how a copy is read, `choose_order` says.

    Args:
        dataset: The dataset.
        parts: Images by part and code or class name, both as text.
    """
    codes: dict[str, dict[int, int]] = {}
    named: dict[str, dict[str, int]] = {}
    for part, counts in parts.items():
        for word, number in counts.items():
            if word.isdecimal() and len(word) < 4:
                codes.setdefault(part, {})[int(word)] = number
            else:
                labels = named.setdefault(part, {})
                label = expression(word) or word
                labels[label] = labels.get(label, 0) + number
    in_codes = sum(map(_sum, codes.values()))
    if in_codes <= sum(sum(part.values()) for part in named.values()):
        return named
    codes = without_strays(dataset, codes)
    seen = sorted({code for part in codes.values() for code in part})
    readings = [_read(codes, order) for order in _possible(dataset, seen)]
    return min(readings, key=lambda each: misfit(each, dataset.name), default={})


def without_strays(
    dataset: DatasetInfo, parts: Mapping[str, Mapping[int, int]]
) -> dict[str, dict[int, int]]:
    """Leave out the rarest codes where no known order has all, if they are few images.

    A stray code becomes a reject; it must not hide the order of all others.
    """
    totals: dict[int, int] = {}
    for part in parts.values():
        for code, number in part.items():
            totals[code] = totals.get(code, 0) + number
    rare = sorted(totals, key=lambda code: (totals[code], -code))
    dropped: set[int] = set()
    while rare and not _possible(dataset, sorted(totals.keys() - dropped)):
        dropped.add(rare.pop(0))
    if is_other_dataset(sum(totals[code] for code in dropped), sum(totals.values())):
        dropped = set()
    return {
        name: {code: number for code, number in part.items() if code not in dropped}
        for name, part in parts.items()
    }


def _possible(dataset: DatasetInfo, seen: list[int]) -> list[CodeOrder]:
    """Return the known orders that have all codes, each with a class of the dataset."""
    found: list[CodeOrder] = []
    for name in ORDER_NAMES:
        order = known_order(name, dataset, seen)
        labels = {order.codes.get(code) for code in seen}
        if labels <= set(dataset.codes.values()) and not any(
            order.same(each, seen) for each in found
        ):
            found.append(order)
    own = [each for each in found if each.name.partition("-")[0] == dataset.name]
    return own + [each for each in found if each not in own]


def _fitting(
    dataset: DatasetInfo, orders: Iterable[CodeOrder], parts: CodeParts
) -> list[CodeOrder]:
    """Return the orders that the class shares leave, the best first; none if they say nothing."""
    if sum(map(_sum, parts.values())) < MIN_ROWS:
        return []
    seen = {code for part in parts.values() for code in part}
    ranked: list[tuple[float, int, CodeOrder]] = []
    for order in orders:
        if not any(order.same(each, seen) for _, _, each in ranked):
            ranked.append((misfit(_read(parts, order), dataset.name), len(ranked), order))
    ranked.sort()
    if not ranked or not fits(_read(parts, ranked[0][2]), dataset.name):
        return []
    return [order for statistic, _, order in ranked if statistic - ranked[0][0] <= CLEAR]


def _read(parts: CodeParts, order: CodeOrder) -> Parts:
    codes = order.codes
    return {
        name: {codes[code]: number for code, number in part.items() if code in codes}
        for name, part in parts.items()
    }


def _wanted(text: str, dataset: DatasetInfo, seen: list[int], where: str) -> CodeOrder:
    order = named_order(text, dataset, seen)
    missing = [str(code) for code in seen if code not in order.codes]
    if missing and len(missing) * 2 > len(seen):
        raise LabelError(
            f"{dataset.name}: --codes {text} has no code {', '.join(missing)}, which {where} has"
        )
    foreign = sorted({order.codes[code] for code in seen if code in order.codes}
                     - set(dataset.codes.values()))  # fmt: skip
    if foreign:
        raise LabelError(f"{dataset.name}: --codes {text} has {foreign[0]}, which is no class here")
    return order


def asked_codes(dataset: DatasetInfo, choices: Choices, notices: Notices) -> dict[int, str]:
    """Return the class of each code: in the order asked for, else in the dataset's own.

    Whether it can be right is checked when all rows have been read, see `tally`.

    Raises:
        OptionError: The order is none.
    """
    wanted = choices.get(CODES_CHOICE)
    if wanted is None:
        return dict(dataset.codes)
    order = named_order(wanted, dataset, dataset.codes)
    notices.say(f"label codes are read in the order asked for: {order}")
    return order.codes


def named_order(text: str, dataset: DatasetInfo, codes: Iterable[int]) -> CodeOrder:
    """Return the order of a name, or of `0=anger,1=disgust,…`.

    Raises:
        OptionError: The text is neither.
    """
    return _own_order(text) if "=" in text else known_order(text, dataset, codes)


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
    return CodeOrder(text, tuple(sorted(labels.items())))


def _sum(part: Mapping[int, int]) -> int:
    return sum(part.values())
