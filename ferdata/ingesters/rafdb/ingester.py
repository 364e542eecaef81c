"""RAF-DB: real-world faces, 15,339 images with seven basic or 3,954 with eleven compound labels.

Layouts, codes and counts: manifests/datasets/rafdb.yaml and rafdb-compound.yaml.
Source: Li, Deng and Du, CVPR 2017.

Both parts have the same official tree and differ in codes and file names; only of the basic part
are re-made copies with class folders in circulation.
"""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.core.manifest import Reject
from ferdata.ingesters.contract import Choices, Ingester, Layout, register
from ferdata.ingesters.rafdb import folders, official
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree

_FOREIGN_CODES = "the compound part has codes 1–11, use `ferdata build rafdb-compound`"


@register("rafdb")
class RafDb(Ingester):
    """The basic part: one of seven expressions per image."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the official tree, or class folders with or without csv lists."""
        layouts = official.detect(tree, self.info) + folders.detect(tree, self.info)
        return sorted(layouts, key=lambda layout: -layout.confidence)

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in the order of the list, or sorted by name where folders are the list."""
        if layout.name.startswith("official"):
            return official.read(layout, self.info, advice=_FOREIGN_CODES)
        return folders.read(layout, self.info, advice=_FOREIGN_CODES)


@register("rafdb-compound")
class RafDbCompound(Ingester):
    """The compound part: one of eleven pairs of expressions per image."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find the official tree."""
        return official.detect(tree, self.info)

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the rows in the order of the list."""
        return official.read(layout, self.info, advice="RAF-CE, with 0–13, is another set")
