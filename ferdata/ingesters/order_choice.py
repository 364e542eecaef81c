"""Which order a copy's label codes are in.

Names in the files decide; else the class shares do, if one order fits the published ones and all
others are ruled out; else it is asked. An order that the shares rule out is refused, since its
labels would be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ferdata.core.errors import LabelError, OptionError, WrongLabelsError
from ferdata.core.labels import find_name
from ferdata.ingesters.code_orders import CodeOrder, asked_for, known_order, named_order
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.info import DatasetInfo
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.order_names import OF_CODES, ORDER_NAMES
from ferdata.ingesters.shares import CLEAR, Parts, fits, misfit

MIN_ROWS = 200
"""Fewer images decide nothing."""

CodeParts = Mapping[str, Mapping[int, int]]
"""Images by part of a copy and label code."""


def choose_order(
    layout: Layout, dataset: DatasetInfo, parts: CodeParts, wanted: str | None
) -> CodeOrder:
    """Choose the order in which a copy's codes are read, and record in the layout why it is this.

    Args:
        layout: The copy.
        dataset: The dataset.
        parts: Images by part and code.
        wanted: The order that was asked for, as text; None to find it.

    Raises:
        LabelError: The codes fit no order, or not that asked for.
        WrongLabelsError: The class shares rule out the order asked for.
        OptionError: Several orders are possible: one must be named.
    """
    where = str(layout.root)
    parts = without_strays(dataset, parts)
    seen = sorted({code for part in parts.values() for code in part})
    possible = _possible(dataset, seen)
    if wanted is not None:
        order = _wanted(wanted, dataset, seen, where)
        check_order(dataset, order, parts, where)
        layout.decide(asked_for(order))
        return order
    if not possible:
        raise LabelError(
            f"{dataset.name}: the label codes {', '.join(map(str, seen[:12]))} in {where} are in "
            "no known order; give your own: --codes 0=anger,1=disgust,…"
        )
    fitting = _fitting(dataset, possible, parts)
    if len(fitting) == 1 or len(possible) == 1:
        order = (fitting or possible)[0]
        why = "the only one that fits the class shares" if fitting else "the only possible one"
        layout.decide(f"{OF_CODES} {order}, {why}")
        return order
    asked = fitting or possible
    raise OptionError(
        f"{dataset.name}: the label codes in {where} can be in {len(asked)} orders, and neither "
        "names nor class shares tell which. Name the right one:\n"
        + "\n".join(f"  --codes {each.name:<14}{str(each).partition(' ')[2]}" for each in asked)
        + "\n  --codes 0=anger,1=…   your own"
    )


def check_order(dataset: DatasetInfo, order: CodeOrder, parts: CodeParts, where: str) -> None:
    """Refuse an order that the class shares rule out.

    Raises:
        WrongLabelsError: Another order fits the published shares, and this one does not.
    """
    seen = sorted({code for part in parts.values() for code in part})
    possible = _possible(dataset, seen)
    fitting = _fitting(dataset, [order, *possible], parts)
    if not fitting or any(order.same(each, seen) for each in fitting):
        return
    raise WrongLabelsError(
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
                label = find_name(word) or word
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


def _sum(part: Mapping[int, int]) -> int:
    return sum(part.values())
