"""Copies of a dataset that is recognized by its file names, wherever in a tree they lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ferdata.ingesters.tree import common_folder


@dataclass
class NamedCopy:
    """One copy of a dataset in a tree.

    Attributes:
        homes: The folders that hold its files, or its folders of classes or sittings.
        paths: Its files by the sample's name; of a name that is there twice, the last.
        size: Number of its files.
    """

    homes: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    size: int = 0

    @property
    def base(self) -> str:
        """The innermost folder that holds all of the copy, `""` for the tree's root."""
        return common_folder(self.homes)


def named_copies(keys: Mapping[str, str], home: Callable[[str], str]) -> list[NamedCopy]:
    """Tell parts of one copy, such as `train` and `test`, from several copies.

    Folders that share more than half of the sample names of the smaller one are two copies; others
    are parts of one.

    Args:
        keys: Each file's sample name.
        home: Returns the folder that a file counts to: its own, or the one above it where its own
            is that of a class.

    Returns:
        The copies, the largest first.
    """
    homes: dict[str, dict[str, str]] = {}
    sizes: dict[str, int] = {}
    for path, key in keys.items():
        folder = home(path)
        homes.setdefault(folder, {})[key] = path
        sizes[folder] = sizes.get(folder, 0) + 1
    copies: list[NamedCopy] = []
    for folder in sorted(homes, key=lambda each: (-len(homes[each]), each)):
        paths = homes[folder]
        for copy in copies:
            if 2 * len(paths.keys() & copy.paths.keys()) <= len(paths):
                break
        else:
            copy = NamedCopy()
            copies.append(copy)
        copy.homes.append(folder)
        copy.paths |= paths
        copy.size += sizes[folder]
    return sorted(copies, key=lambda copy: -copy.size)
