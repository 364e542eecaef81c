"""RAF-DB: real-world faces, 15,339 images with seven basic or 3,954 with eleven compound labels.

Layouts, codes and counts: manifests/datasets/rafdb.yaml and rafdb-compound.yaml.
Source: Li, Deng and Du, CVPR 2017.

Both parts have the same official tree and differ in codes and file names. Only the basic part
circulates in re-made copies with class folders.
"""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.core.rejects import Reject
from ferdata.ingesters.catalog import register
from ferdata.ingesters.contract import Choices, Ingester, Layout
from ferdata.ingesters.rafdb import folders, official
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

_OTHER_CODES = "the compound part has codes 1–11, use `ferdata build rafdb-compound`"


@register("rafdb")
class RafDb(Ingester):
    """The basic part: one of seven expressions per image."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the official tree, or class folders with or without csv lists."""
        return [*official.detect(tree, self.info), *folders.detect(tree, self.info)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in the order of the list; those in class folders sorted by name."""
        if layout.name.startswith("official"):
            return official.read(layout, self.info, advice=_OTHER_CODES)
        return folders.read(layout, self.info, codes=choices["codes"], advice=_OTHER_CODES)


@register("rafdb-compound")
class RafDbCompound(Ingester):
    """The compound part: one of eleven pairs of expressions per image."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the official tree."""
        return [*official.detect(tree, self.info)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in the order of the list."""
        return official.read(layout, self.info, advice="RAF-CE, with codes 0–13, is another set")
