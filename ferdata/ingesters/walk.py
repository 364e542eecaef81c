"""Listing a folder: every file below it is listed, litter, unusable, or in an unreadable folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ferdata.ingesters.litter import litter_file, litter_folder

MAX_DEPTH = 8
"""Levels of folders that are searched; bounds the time if the root is far too high."""

Pairs = tuple[tuple[str, str], ...]
"""Paths, each with a rule or a reason."""

_LINK = "links to folders that are listed elsewhere"
_TOO_DEEP = f"folder: not searched, more than {MAX_DEPTH} levels down"
_NOT_UTF8 = "file name: not UTF-8; rename it"


@dataclass(frozen=True)
class _Folder:
    """A folder that is still to be listed.

    Attributes:
        path: Relative to the root.
        depth: Levels below the root.
        rule: By which all that it holds is ignored; None where it isn't.
    """

    path: str
    depth: int = 0
    rule: str | None = None


@dataclass
class Walk:
    """Lists the files below a root, in an order that does not depend on the disk.

    Symbolic links to folders are followed after all real folders, each folder once.

    Attributes:
        root: The folder.
        files: Paths relative to the root.
        unreadable: Folders that can't be listed, each with the system's reason.
        litter: Files that are ignored, each with its rule.
        unusable: Files that can't be in a manifest, and folders too far down, each with the reason.
    """

    root: Path
    files: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    litter: list[tuple[str, str]] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> None:
        """List the root and all that is below it."""
        seen: set[tuple[int, int]] = set()
        pending, links = [_Folder("")], list[_Folder]()
        while pending or links:
            folder = pending.pop() if pending else links.pop(0)
            try:
                status = (self.root / folder.path).stat()
                if (status.st_dev, status.st_ino) in seen:
                    self.litter.append((folder.path, _LINK))
                    continue
                seen.add((status.st_dev, status.st_ino))
                inner, linked = self._list(folder)
            except OSError as error:
                self.unreadable.append((folder.path, error.strerror or str(error)))
                continue
            links += linked
            pending += inner

    def _list(self, folder: _Folder) -> tuple[list[_Folder], list[_Folder]]:
        """Sort a folder's entries; return its folders and its links to folders."""
        inner: list[_Folder] = []
        linked: list[_Folder] = []
        with os.scandir(self.root / folder.path) as entries:
            for entry in entries:
                path = f"{folder.path}/{entry.name}" if folder.path else entry.name
                if not _is_unicode(path):
                    self.unusable.append((_escaped(path), _NOT_UTF8))
                elif entry.is_dir():
                    rule = folder.rule or litter_folder(entry.name)
                    below = _Folder(path, folder.depth + 1, rule)
                    if below.depth <= MAX_DEPTH:
                        (linked if entry.is_symlink() else inner).append(below)
                    elif rule is None:
                        self.unusable.append((path, _TOO_DEEP))
                else:
                    self._file(path, folder.rule or litter_file(entry.name))
        # The last of a list is listed next.
        return sorted(inner, key=_path, reverse=True), sorted(linked, key=_path)

    def _file(self, path: str, rule: str | None) -> None:
        if rule is None:
            self.files.append(path)
        else:
            self.litter.append((path, rule))


def _path(folder: _Folder) -> str:
    return folder.path


def _is_unicode(path: str) -> bool:
    """Say whether a path can be stored; Python reads bytes that aren't UTF-8 as surrogates."""
    return path.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in path)


def _escaped(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
