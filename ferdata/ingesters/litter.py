"""Files that other programs leave between images: never part of a dataset."""

from __future__ import annotations

_FOLDERS = {
    "__macosx": "archive metadata (__MACOSX)",
    "@eadir": "thumbnails of a network drive (@eaDir)",
}
_FILES = {
    "thumbs.db": "thumbnail caches (Thumbs.db)",
    "ehthumbs.db": "thumbnail caches (Thumbs.db)",
    "desktop.ini": "folder settings (desktop.ini)",
}
_HIDDEN = "hidden files (names with a leading dot)"


def litter_folder(name: str) -> str | None:
    """Return the rule by which everything in a folder is ignored, or None.

    Args:
        name: The folder's own name.
    """
    return _HIDDEN if name.startswith(".") else _FOLDERS.get(name.lower())


def litter_file(name: str) -> str | None:
    """Return the rule by which a file is ignored, whatever its folder, or None.

    Args:
        name: The file's own name.
    """
    return _HIDDEN if name.startswith(".") else _FILES.get(name.lower())
