"""Where ferdata keeps what it can make or fetch again: models and detections."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_DIR_VARIABLE = "FERDATA_CACHE_DIR"
"""Environment variable that names another cache folder than the user's."""


def cache_folder() -> Path:
    """Return the cache folder; it need not exist yet. Anything in it may be deleted at any time."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    if chosen:
        return Path(chosen)
    import pooch  # noqa: PLC0415 - not needed where the folder is given

    return Path(pooch.os_cache("ferdata"))
