"""FER2013: 35,887 gray crops of 48×48 pixels from the web, seven expressions.

Layouts, codes and counts: manifests/datasets/fer2013.yaml.
Source: Goodfellow et al., ICONIP 2013.
"""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.core.pixel_rows import PIXELS
from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import register
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.fer2013 import folders
from ferdata.ingesters.fer2013.names import USAGES, wrong_usage
from ferdata.ingesters.pixel_tables import open_table, read_labeled_rows, try_header
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name

TABLE_COLUMNS = ("emotion", PIXELS, "usage")
"""The columns of the csv, in lower case."""

_OWN_NAMES = ("fer2013.csv", "icml_face_data.csv")
_OTHER_CODES = "ckextended.csv has codes 0–7 and 920 rows, use `ferdata build ckplus`"


@register("fer2013")
class Fer2013(Ingester):
    """The csv in both of its forms, Kaggle's folders, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find a csv with emotion and pixels, or images in class folders."""
        return [*self._tables(tree), *folders.detect(tree, self.info)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows of the csv, or the images sorted by path."""
        if layout.lists:
            return self._read_table(layout)
        return folders.read(layout, self.info, choices["codes"])

    def _tables(self, tree: FileTree) -> Iterator[Layout]:
        for path, confidence in pixel_tables(tree).items():
            header = try_header(tree, path)
            # Kaggle's copy of the contest has spaces in its header and the pixels last.
            name = "icml" if header[-1:] == (PIXELS,) and "usage" in header else "csv"
            evidence = f"{path} has the columns {', '.join(filter(None, header))}"
            if not header:
                evidence = f"{path} is there and can't be read"
            yield Layout.below(
                tree, folder_name(path), self.name, name, confidence, evidence, lists=[path]
            )

    def _read_table(self, layout: Layout) -> Iterator[Sample | Reject]:
        rows = open_table(layout, layout.lists[0], TABLE_COLUMNS)
        for each in read_labeled_rows(layout, rows, self.info.codes, _OTHER_CODES):
            if isinstance(each, Reject):
                yield each
                continue
            row, label = each
            usage = row.word("usage")
            split = USAGES.get(usage.lower())
            if split is None:
                yield layout.reject(row.key, row.uri, wrong_usage(usage))
            else:
                yield Sample(
                    row.key,
                    row.uri,
                    label,
                    str(row.number("emotion")),
                    official_split=split,
                    split_native=usage,
                )


def pixel_tables(tree: FileTree) -> dict[str, float]:
    """Return the csv files of a tree that contain FER2013, the most certain first.

    Those with the columns emotion and pixels, except CK+'s; and those with FER2013's own names,
    whatever their columns, so that a damaged header is reported and not overlooked.

    Returns:
        How certain each is, by its path; 0.5 if a column is missing.
    """
    found = []
    for path in tree.files:
        name = file_name(path).lower()
        if name.endswith(".csv") and not name.startswith("ckextended"):
            header = set(try_header(tree, path))
            if header >= set(TABLE_COLUMNS):
                # The contest offers the same rows under both names; equal numbers would be a tie.
                own = name in _OWN_NAMES
                confidence = 0.95 - 0.01 * _OWN_NAMES.index(name) if own else 0.6
                found.append((-confidence, path.count("/"), path))
            elif header >= {"emotion", PIXELS} or name in _OWN_NAMES:
                found.append((-0.5, path.count("/"), path))
    return {path: -confidence for confidence, _, path in sorted(found)}
