"""A dataset: images in folders named after two classes, with the subject in their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ferdata.core.rejects import Reject
from ferdata.ingesters import Choices, Evidence, FileTree, Ingester, Layout, Sample, Sign
from ferdata.ingesters.class_folders import class_folder, class_of, wrong_folder
from ferdata.ingesters.tree import common_folder, file_stem, folder_name

_NAME = re.compile(r"(?P<subject>smiler\d\d)_(?P<take>\d)")


class Smiles(Ingester):
    """Class folders with files named like smiler01_1.png."""

    name = "smiles"
    info_file = Path(__file__).with_name("smiles.yaml")

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find images by their names."""
        found = [path for path in tree.images() if _NAME.fullmatch(file_stem(path))]
        if not found:
            return []
        base = common_folder(folder_name(folder_name(path)) for path in found)
        evidence = Evidence(Sign.NAMES, f"{len(found)} files named like smiler01_1.png")
        return [Layout.below(tree, base, self.name, "folders", evidence)]

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the images sorted by path."""
        space = self.info.space
        for path in layout.tree.images():
            name, label, key = _NAME.fullmatch(file_stem(path)), class_of(path), path[:-4]
            if name is None:
                yield layout.reject(key, path, "file name: not like smiler01_1.png")
            elif label not in space or label is None:
                yield layout.reject(key, path, wrong_folder(path, "happy or neutral"))
            else:
                yield Sample(key, path, label, class_folder(path), subject=name["subject"])
