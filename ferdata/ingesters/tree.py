"""The files below a folder, listed once, so that images are found by name at any depth."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ferdata.core.errors import LayoutError
from ferdata.core.image_formats import is_image
from ferdata.ingesters.walk import Pairs, Walk

_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class FileTree:
    """All files below a root, as posix paths relative to it.

    Attributes:
        root: The folder.
        files: Paths relative to the root, sorted; without litter and unusable ones.
        unreadable: Folders that can't be listed, each with the system's reason.
        litter: Files that other programs left, each with the rule of `ferdata.ingesters.litter`;
            and links to folders that are listed elsewhere.
        unusable: Files that can't be in a manifest, each with the reason; bytes of a name that
            aren't UTF-8 are escaped.
    """

    root: Path
    files: tuple[str, ...]
    unreadable: Pairs = ()
    litter: Pairs = ()
    unusable: Pairs = ()

    @classmethod
    def scan(cls, root: Path) -> FileTree:
        """List the files below a folder; symbolic links to folders are followed once.

        Raises:
            LayoutError: The root is missing, not a folder, empty, or can't be read.
        """
        _require_folder(root)
        walk = Walk(root)
        walk.run()
        if walk.unreadable and walk.unreadable[0][0] == "":
            reason = walk.unreadable[0][1]
            raise LayoutError(f"{root}: can't be read ({reason}); check its permissions.")
        if not walk.files and not walk.unreadable:
            if walk.unusable:
                path, reason = min(walk.unusable)
                raise LayoutError(f"{root}: no file can be used: {path}: {reason}.")
            raise LayoutError(f"{root}: contains no files; give the folder with the dataset.")
        return cls(
            root,
            tuple(sorted(walk.files)),
            tuple(sorted(walk.unreadable)),
            tuple(sorted(walk.litter)),
            tuple(sorted(walk.unusable)),
        )

    def below(self, folder: str) -> FileTree:
        """Return the part of the tree below a folder.

        Args:
            folder: Path relative to the root; `""` for the root itself.
        """
        if not folder:
            return self
        prefix = f"{folder}/"
        cut = len(prefix)

        def inside(pairs: Pairs) -> Pairs:
            return tuple((p[cut:], text) for p, text in pairs if f"{p}/".startswith(prefix))

        return FileTree(
            self.root / folder,
            tuple(path[cut:] for path in self.files if path.startswith(prefix)),
            inside(self.unreadable),
            inside(self.litter),
            inside(self.unusable),
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
        return list(self._images)

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The folders that files lie in, sorted; `""` is the root."""
        return tuple(sorted({folder_name(path) for path in self.files}))

    @cached_property
    def _images(self) -> tuple[str, ...]:
        return tuple(path for path in self.files if is_image(path))


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
