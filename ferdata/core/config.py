"""YAML files with options: what a command line or a call says, as a file that repeats it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ferdata.core.errors import OptionError, ParseError
from ferdata.core.files import write_atomically
from ferdata.core.parsing import parse_yaml

CONFIG_FILE = "config.yaml"
"""The file in a build's or a run's folder that repeats it."""

_PATHS = ("name", "recipe", "operations")
"""Options that may be a path; a relative one starts at the folder of the file."""


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file of options.

    Args:
        path: A YAML file with a mapping of option names to values; `-` counts as `_`.

    Raises:
        OptionError: The file can't be read, or holds something else.
    """
    path = Path(path).expanduser()
    try:
        values = parse_yaml(path.read_bytes())
    except OSError as error:
        raise OptionError(f"--config {path}: can't be read ({error.strerror})") from None
    except ParseError as error:
        raise OptionError(f"--config {path}: not a YAML file: {error.__cause__}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise OptionError(
            f"--config {path}: expected a mapping of options, for instance `size: 96`; "
            f"found {type(values).__name__}"
        )
    return {
        name: _from_folder(value, path.parent) if name in _PATHS else value
        for name, value in ((str(key).replace("-", "_"), each) for key, each in values.items())
    }


def write_config(path: Path, values: Mapping[str, Any], *, title: str) -> None:
    """Write a file of options, whole or not at all.

    Args:
        path: The file.
        values: Plain JSON values by option name.
        title: First line, a comment: what the file is for.
    """
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=100)
    with write_atomically(path) as file:
        file.write(f"# {title}\n{text}".encode())


def _from_folder(value: Any, folder: Path) -> Any:
    """Resolve the path of a file that lies beside the file of options."""
    if isinstance(value, str) and (folder / value).is_file():
        return str(folder / value)
    return value
