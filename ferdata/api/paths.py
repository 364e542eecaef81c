"""Paths as users write them: `str` or `Path`, `~` for their home."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ferdata.core.errors import OptionError

PathLike = str | os.PathLike[str]

DataFolders = PathLike | Mapping[str, PathLike]
"""A folder that holds every dataset, or the folder of each by its name."""


def as_path(value: PathLike, what: str) -> Path:
    """Return a path.

    Args:
        value: `str` or `Path`.
        what: What it is, for the message, for instance `"out"`.

    Raises:
        OptionError: It is something else.
    """
    if not isinstance(value, str | os.PathLike):
        raise OptionError(f"{what}: expected a path as str or Path, got {type(value).__name__}")
    return Path(value).expanduser()


def as_folders(data: DataFolders) -> Path | dict[str, Path]:
    """Return the folders of datasets.

    Raises:
        OptionError: They are neither a path nor a mapping of dataset names to paths.
    """
    if isinstance(data, Mapping):
        return {name: as_path(folder, f"data[{name!r}]") for name, folder in data.items()}
    return as_path(data, "data")
