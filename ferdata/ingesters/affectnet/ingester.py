"""AffectNet: about 420,000 annotated faces from the web, with expression, valence and arousal.

Layouts, codes and counts: manifests/datasets/affectnet.yaml; each group of layouts is read in its
own file. Source: Mollahosseini, Hasani and Mahoor, IEEE TAC 2019.

The test set was never released. The field tests on what the authors call validation, so its
official split is test here; validation is held out from train.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ferdata.core.labels import BASIC7, BASIC8, LabelSpace
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet import cage, code_folders, folders, full, numbered, yolo
from ferdata.ingesters.array_copies import ArrayRules, detect_arrays, read_arrays
from ferdata.ingesters.catalog import register
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.info import Counts
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

_READERS = {
    "full": full.read,
    "small": numbered.read_small,
    "plus": numbered.read_plus,
    "kaggle": folders.read,
    "yolo": yolo.read,
    "code-folders": code_folders.read,
    "cage": cage.read,
}


_PARTS = (full, numbered, folders, yolo, code_folders, cage)
_ROWS = ArrayRules(source="manual")


def _rows_wanted(choices: Choices) -> ArrayRules:
    space = BASIC7 if choices["classes"] == "7" else BASIC8
    return replace(_ROWS, label_space=space.names)


@register("affectnet")
class AffectNet(Ingester):
    """The full and the small release, AffectNet+, and copies that others made."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find lists with AffectNet's columns, or the folders of the other releases."""
        found = [layout for part in _PARTS for layout in part.detect(tree)]
        return [*found, *detect_arrays(tree, self.info, "parquet", _ROWS)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in the order of the lists, or sorted by name."""
        layout.tree.require_readable()
        if layout.name == "parquet":
            return read_arrays(layout, self.info, choices, _rows_wanted(choices))
        return _READERS[layout.name](layout, choices)

    def label_space(self, choices: Choices) -> LabelSpace:
        """Return the eight names, or the seven without contempt."""
        return BASIC7 if choices["classes"] == "7" else BASIC8

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return the published counts of the manually annotated images."""
        if layout.source == "automatic":
            return {}
        counts = super().expected_counts(layout, choices)
        if choices["classes"] == "8":
            return counts
        return {
            split: {label: number for label, number in by_class.items() if label != "contempt"}
            for split, by_class in counts.items()
        }
