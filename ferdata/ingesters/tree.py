"""The files below a folder, listed once, so that images are found by name at any depth."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import LayoutError
from ferdata.core.images import IMAGE_SUFFIXES

MAX_DEPTH = 8
"""Levels of folders that are searched; bounds the time if the root is far too high."""

_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class FileTree:
    """All files below a root, as posix paths relative to it.

    Hidden files and `__MACOSX` folders, which archive programs create, are not listed.

    Attributes:
        root: The folder.
        files: Paths relative to the root, sorted.
        unreadable: Folders that can't be listed, each with the system's reason.
    """

    root: Path
    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...] = ()

    @classmethod
    def scan(cls, root: Path) -> FileTree:
        """List the files below a folder; symbolic links to folders are followed once.

        Raises:
            LayoutError: The root is missing, not a folder, empty, or can't be read.
        """
        _require_folder(root)
        files: list[str] = []
        unreadable: list[tuple[str, str]] = []
        _walk(root, files, unreadable)
        if unreadable and unreadable[0][0] == "":
            raise LayoutError(f"{root}: can't be read ({unreadable[0][1]}); check its permissions.")
        if not files and not unreadable:
            raise LayoutError(f"{root}: contains no files; give the folder with the dataset.")
        return cls(root, tuple(sorted(files)), tuple(sorted(unreadable)))

    def below(self, folder: str) -> FileTree:
        """Return the part of the tree below a folder.

        Args:
            folder: Path relative to the root; `""` for the root itself.
        """
        if not folder:
            return self
        prefix = f"{folder}/"
        cut = len(prefix)
        return FileTree(
            self.root / folder,
            tuple(path[cut:] for path in self.files if path.startswith(prefix)),
            tuple(
                (path[cut:], reason)
                for path, reason in self.unreadable
                if f"{path}/".startswith(prefix)
            ),
        )

    def require_readable(self) -> None:
        """Refuse a tree with folders that could not be listed.

        Raises:
            LayoutError: A folder could not be listed; names it.
        """
        if self.unreadable:
            raise LayoutError(
                f"{self.root}: {self.describe_unreadable()}; check the permissions, "
                "because images in these folders would be missed."
            )

    def describe_unreadable(self) -> str:
        """Name the folders that can't be listed, for a message."""
        listed = ", ".join(f"{path or '.'} ({reason})" for path, reason in self.unreadable[:3])
        more = f" and {len(self.unreadable) - 3} more" if len(self.unreadable) > 3 else ""
        return f"can't be read: {listed}{more}"

    def archives(self) -> tuple[str, ...]:
        """Return the archives in the tree, which may be parts of a dataset yet to be extracted."""
        return tuple(path for path in self.files if is_archive(path))

    def images(self) -> list[str]:
        """Return the image files in the tree, sorted by path."""
        return [path for path in self.files if is_image(path)]


def is_archive(path: str) -> bool:
    """Say whether a file name is that of an archive."""
    return path.lower().endswith(_ARCHIVES)


def extract_command(archive: Path) -> str:
    """Return the command that extracts an archive into a folder beside it."""
    name = archive.name
    stem = next(name[: -len(end)] for end in _ARCHIVES if name.lower().endswith(end))
    folder = shlex.quote(str(archive.with_name(stem or "extracted")))
    path = shlex.quote(str(archive))
    if name.lower().endswith(".zip"):
        return f"unzip {path} -d {folder}"
    if name.lower().endswith((".rar", ".7z")):
        return f"7z x {path} -o{folder}"
    return f"mkdir -p {folder} && tar -xf {path} -C {folder}"


def is_image(path: str) -> bool:
    """Say whether a file name is that of an image."""
    return f".{path.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES


def common_folder(folders: Iterable[str]) -> str:
    """Return the innermost folder that contains all of some folders, `""` for the root.

    Args:
        folders: Posix paths relative to one root.
    """
    parts = [folder.split("/") if folder else [] for folder in folders]
    shared = []
    for words in zip(*parts, strict=False):
        if len(set(words)) > 1:
            break
        shared.append(words[0])
    return "/".join(shared)


def file_name(path: str) -> str:
    """Return the last part of a posix path; many times faster than `PurePosixPath.name`."""
    return path.rpartition("/")[2]


def folder_name(path: str) -> str:
    """Return a posix path without its last part, `""` at the top."""
    return path.rpartition("/")[0]


def file_stem(path: str) -> str:
    """Return the last part of a posix path without its ending."""
    return file_name(path).rpartition(".")[0]


def by_name(paths: Iterable[str]) -> list[str]:
    """Sort paths by file name, and paths with the same file name by folder."""
    return sorted(paths, key=lambda path: (file_name(path), path))


def _require_folder(root: Path) -> None:
    try:
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise LayoutError(f"{root}: no such folder; give the folder with the dataset.") from None
    except OSError as error:
        raise LayoutError(f"{root}: can't be read ({error.strerror}).") from None
    if not is_folder:
        advice = "give a folder"
        if is_archive(root.name):
            advice = f"extract it first and give the folder: {extract_command(root)}"
        raise LayoutError(f"{root}: is a file, not a folder; {advice}.")


def _walk(root: Path, files: list[str], unreadable: list[tuple[str, str]]) -> None:
    """Collect files and unreadable folders, in an order that does not depend on the disk."""
    seen: set[tuple[int, int]] = set()
    pending = [("", 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            status = (root / folder).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            folders = _list_folder(root, folder, files)
        except OSError as error:
            unreadable.append((folder, error.strerror or str(error)))
            continue
        if depth < MAX_DEPTH:
            pending.extend((path, depth + 1) for path in sorted(folders, reverse=True))


def _list_folder(root: Path, folder: str, files: list[str]) -> list[str]:
    """Add a folder's files to `files` and return its folders."""
    folders = []
    with os.scandir(root / folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if not _is_unicode(path):
                raise OSError(f"the name {path!r} in it is not UTF-8; rename it")
            if entry.is_dir():
                folders.append(path)
            else:
                files.append(path)
    return folders


def _is_unicode(path: str) -> bool:
    """Say whether a path can be stored; Python reads bytes that aren't UTF-8 as surrogates."""
    return path.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in path)
