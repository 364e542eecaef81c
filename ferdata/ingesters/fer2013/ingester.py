"""FER2013: 35,887 gray crops of 48×48 pixels from the web, seven expressions.

Layouts, codes and counts: manifests/datasets/fer2013.yaml.
Source: Goodfellow et al., ICONIP 2013.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ferdata.core.pixel_rows import PIXELS
from ferdata.core.rejects import Reject
from ferdata.ingesters.array_copies import KINDS, ArrayRules, detect_arrays, read_arrays
from ferdata.ingesters.catalog import register
from ferdata.ingesters.code_orders import asked_codes
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.fer2013 import folders
from ferdata.ingesters.fer2013.folders import SIDE
from ferdata.ingesters.fer2013.names import USAGES, wrong_usage
from ferdata.ingesters.info import Counts
from ferdata.ingesters.pixel_tables import open_table, read_labeled_rows, try_header
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name, folder_name

TABLE_COLUMNS = ("emotion", PIXELS, "usage")
"""The columns of the csv, in lower case."""

_OWN_NAMES = ("fer2013.csv", "icml_face_data.csv")
_TRAIN_NAME = "train.csv"
"""The contest's table of Training alone, without a column for the split."""
_OTHER_CODES = "ckextended.csv has codes 0–7 and 920 rows, use `ferdata build ckplus`"


_ARRAYS = ArrayRules(
    key_of_name=folders.key_of_name,
    official=lambda word: USAGES.get(word.lower()),
    shape=(SIDE, SIDE),
)


@register("fer2013")
class Fer2013(Ingester):
    """The csv in its three forms, Kaggle's folders, and re-made copies as files or arrays."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find a csv with emotion and pixels, images in class folders, or arrays."""
        arrays = (each for kind in KINDS for each in detect_arrays(tree, self.info, kind, _ARRAYS))
        return [*self._tables(tree), *folders.detect(tree, self.info), *arrays]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows of the csv, or the images sorted by path."""
        if layout.name in KINDS:
            return read_arrays(layout, self.info, choices, _ARRAYS)
        if layout.lists:
            return self._read_table(layout, choices)
        return folders.read(layout, self.info, choices)

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return the published counts; those of train alone for the contest's train.csv."""
        counts = super().expected_counts(layout, choices)
        return {"train": counts["train"]} if layout.name == "train" else counts

    def _tables(self, tree: FileTree) -> Iterator[Layout]:
        for path, missing in pixel_tables(tree).items():
            header, file = try_header(tree, path), file_name(path).lower()
            # Kaggle's copy of the contest has spaces in its header and the pixels last.
            name = "icml" if header[-1:] == (PIXELS,) and "usage" in header else "csv"
            if file == _TRAIN_NAME and not missing and "usage" not in header:
                name = "train"
            shown = f"has the columns {', '.join(filter(None, header))}"
            evidence = [Evidence(Sign.TABLE, f"{path} {shown if header else missing}")]
            if file in _OWN_NAMES:
                evidence.append(Evidence(Sign.FILE, f"it is called {file}"))
            yield Layout.below(
                tree, folder_name(path), self.name, name, *evidence, lists=[path], missing=missing
            )

    def _read_table(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        has_usage = layout.name != "train"
        columns = TABLE_COLUMNS if has_usage else TABLE_COLUMNS[:2]
        rows = open_table(layout, layout.lists[0], columns)
        codes = asked_codes(layout, self.info, choices)
        for each in read_labeled_rows(layout, rows, codes, _OTHER_CODES):
            if isinstance(each, Reject):
                yield each
                continue
            row, label = each
            usage = row.word("usage") if has_usage else "Training"
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


def pixel_tables(tree: FileTree) -> dict[str, str]:
    """Return the csv files of a tree that contain FER2013, the most certain first.

    Those with the columns emotion and pixels, except CK+'s; and those with FER2013's own names,
    whatever their columns, so that a damaged header is reported and not overlooked.

    Returns:
        By path, what is missing for reading it; empty if nothing.
    """
    found: list[tuple[int, int, str, str]] = []
    for path in tree.files:
        name = file_name(path).lower()
        if not name.endswith(".csv") or name.startswith("ckextended"):
            continue
        header = set(try_header(tree, path))
        own = _OWN_NAMES.index(name) if name in _OWN_NAMES else len(_OWN_NAMES)
        if header >= set(TABLE_COLUMNS):
            found.append((own, path.count("/"), path, ""))
        elif header >= {"emotion", PIXELS} and name == _TRAIN_NAME:
            found.append((own + 1, path.count("/"), path, ""))
        elif header >= {"emotion", PIXELS} or name in _OWN_NAMES:
            lacking = ", ".join(sorted(set(TABLE_COLUMNS) - header))
            problem = f"has no column {lacking}" if header else "is there and can't be read"
            found.append((own + 2, path.count("/"), path, problem))
    return {path: missing for _, _, path, missing in sorted(found)}
