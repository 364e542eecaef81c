"""Copies of a dataset that is recognized by its file names, wherever they lie in a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ferdata.ingesters.class_folders import class_of
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.tree import FileTree, common_folder


@dataclass
class NamedCopy:
    """One copy of a dataset in a tree.

    Attributes:
        homes: The folders that contain its files, or its folders of classes or sessions.
        paths: Its files by sample name; the last of several with one name.
        size: Number of its files.
        is_fragment: Whether a copy more than twice as large lies in the same tree.
    """

    homes: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    size: int = 0
    is_fragment: bool = False

    @property
    def base(self) -> str:
        """The innermost folder that contains all of the copy, `""` for the tree's root."""
        return common_folder(self.homes)

    def layout(
        self,
        tree: FileTree,
        dataset: str,
        example: str,
        *evidence: Evidence,
        base: str | None = None,
        lists: Iterable[str] = (),
    ) -> Layout:
        """Describe the copy: `class-folders` if most of its files lie in such, else `official`.

        Args:
            tree: The whole tree.
            dataset: The dataset's name.
            example: One of its file names, for the evidence.
            *evidence: What else speaks for it.
            base: Root of the layout; default: that of the copy.
            lists: Lists below the root, relative to the tree.
        """
        in_classes = sum(class_of(path) is not None for path in self.paths.values())
        name = "class-folders" if in_classes > len(self.paths) / 2 else "official"
        return Layout.below(
            tree,
            self.base if base is None else base,
            dataset,
            name,
            Evidence(
                Sign.FILE if self.is_fragment else Sign.NAMES,
                f"{self.size:,} files named like {example}",
            ),
            *evidence,
            lists=lists,
        )


def named_copies(keys: Mapping[str, str], home: Callable[[str], str]) -> list[NamedCopy]:
    """Tell parts of one copy, such as `train` and `test`, from several copies.

    Folders that share more than half of the smaller one's sample names are two copies; others are
    parts of one.

    Args:
        keys: Each file's sample name.
        home: Returns the folder that a file counts to: its own, or the one above a class folder.

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
    copies.sort(key=lambda copy: -copy.size)
    for copy in copies:
        copy.is_fragment = 2 * copy.size < copies[0].size
    return copies
