"""RAF-DB: real-world faces, 15,339 images with seven basic or 3,954 with eleven compound labels.

Layouts, codes and counts: manifests/datasets/rafdb.yaml and rafdb-compound.yaml.
Source: Li, Deng and Du, CVPR 2017.

Both parts have the same official tree and differ in codes and file names. Only the basic part
circulates in re-made copies with class folders.
"""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.core.rejects import Reject
from ferdata.ingesters.array_copies import ArrayRules, detect_arrays, read_arrays
from ferdata.ingesters.catalog import register
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.rafdb import folders, official, relabeled
from ferdata.ingesters.rafdb.names import image_key, is_telling, official_split
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, file_name

_OTHER_CODES = "the compound part has codes 1–11, use `ferdata build rafdb-compound`"


def _named(name: str) -> tuple[str, str] | None:
    key = image_key(file_name(name)) if is_telling(file_name(name)) else None
    return (key, official_split(key)) if key else None


_ROWS = ArrayRules(key_of_name=_named, source="aligned")


@register("rafdb")
class RafDb(Ingester):
    """The basic part: one of seven expressions per image."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the official tree, or class folders with or without csv lists."""
        found = [*official.detect(tree, self.info), *folders.detect(tree, self.info)]
        found += relabeled.detect(tree, found)
        return [*found, *detect_arrays(tree, self.info, "parquet", _ROWS)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in the order of the list; those in class folders sorted by name."""
        if layout.name.startswith("official"):
            return official.read(layout, self.info, choices, advice=_OTHER_CODES)
        if layout.name in ("kaggle", "imagefolder"):
            return folders.read(layout, self.info, choices, advice=_OTHER_CODES)
        if layout.name == "parquet":
            return read_arrays(layout, self.info, choices, _ROWS)
        return relabeled.read(layout, self.info, choices)


@register("rafdb-compound")
class RafDbCompound(Ingester):
    """The compound part: one of eleven pairs of expressions per image."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the official tree."""
        return [*official.detect(tree, self.info)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in the order of the list."""
        return official.read(
            layout, self.info, choices, advice="RAF-CE, with codes 0–13, is another set"
        )
