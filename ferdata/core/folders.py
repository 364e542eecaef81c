"""The cache folder: files that can be computed or downloaded again."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_DIR_VARIABLE = "FERDATA_CACHE_DIR"
"""Environment variable for another cache folder than the user's default."""


def cache_folder() -> Path:
    """Return the cache folder, which may not exist yet. Its files may be deleted at any time."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    if chosen:
        return Path(chosen)
    import pooch  # noqa: PLC0415 - not needed if the folder is set

    return Path(pooch.os_cache("ferdata"))
