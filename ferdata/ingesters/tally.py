"""Counting rows while they are read, to see whether their labels can be right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ferdata.core.errors import WrongLabelsError
from ferdata.ingesters.code_orders import CodeOrder
from ferdata.ingesters.contract import Ingester, Layout
from ferdata.ingesters.fingerprints import mixed_up_labels, suspicions
from ferdata.ingesters.info import UNSPLIT
from ferdata.ingesters.order_choice import check_order
from ferdata.ingesters.sample import Sample


class Tally:
    """The rows of a copy by split, the copy's own word for the label, and label.

    Args:
        reader: The dataset.
        layout: The copy.
    """

    def __init__(self, reader: Ingester, layout: Layout) -> None:
        self._reader = reader
        self._layout = layout
        self._rows: Counter[tuple[str, str, str]] = Counter()

    def watch(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the samples, counted."""
        for each in samples:
            self._rows[each.official_split or UNSPLIT, each.label_native, each.label] += 1
            yield each

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by official split, `UNSPLIT` without one, and label."""
        counts: dict[str, dict[str, int]] = {}
        for (part, _, label), number in self._rows.items():
            by_label = counts.setdefault(part, {})
            by_label[label] = by_label.get(label, 0) + number
        return counts

    def suspicions(self) -> list[str]:
        """Return reasons to doubt that this is the dataset, see `fingerprints.suspicions`."""
        return suspicions(self._reader.name, self.counts, self._layout.root)

    def refuse_wrong_labels(self) -> None:
        """Refuse labels that the class counts show to be wrong.

        Raises:
            WrongLabelsError: The codes are in another order, or the classes under other names.
        """
        info, where = self._reader.info, str(self._layout.root)
        codes = {(word, label) for _, word, label in self._rows}
        if codes and all(word.isdecimal() and len(word) < 4 for word, _ in codes):
            labels = {int(word): label for word, label in codes}
            own = all(info.codes.get(code) == label for code, label in labels.items())
            name = info.name if own else "that was read"
            parts: dict[str, dict[int, int]] = {}
            for (part, word, _), number in self._rows.items():
                by_code = parts.setdefault(part, {})
                by_code[int(word)] = by_code.get(int(word), 0) + number
            order = CodeOrder.of(name, labels)
            check_order(info, order, parts, where)
        if found := mixed_up_labels(info.name, self.counts):
            raise WrongLabelsError(
                f"{info.name}: the labels in {where} are wrong: {found[0]}. Nothing is written. If "
                "they are codes, name their order with --codes; if they are names, whoever made "
                "this copy took the codes of another dataset: make it again from the original."
            )
