"""YAML files of options, for `--config`: they repeat a command or a call."""

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
"""The file in the folder of a build or a run with its options."""

_PATHS = ("name", "recipe", "operations")
"""Options that may be a path, which may be relative to the folder of the file."""


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file of options.

    Args:
        path: A YAML file that maps option names to values; `-` counts as `_`.

    Raises:
        OptionError: The file can't be read, or is not such a mapping.
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
    """Write a file of options atomically.

    Args:
        path: The file.
        values: Plain JSON values by option name.
        title: Comment in the first line: the purpose of the file.
    """
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=100)
    with write_atomically(path) as file:
        file.write(f"# {title}\n{text}".encode())


def _from_folder(value: Any, folder: Path) -> Any:
    """Resolve a path relative to the file of options, if there is such a file."""
    try:
        is_there = isinstance(value, str) and (folder / value).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        is_there = False
    return str(folder / value) if is_there else value
