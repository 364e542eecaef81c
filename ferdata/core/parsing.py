"""Parsers of others, each called in one place: whatever they throw at damaged data is one error.

Damaged headers of numpy, HDF5 and Parquet files make their readers raise nearly anything, down to
`SystemError` and `MemoryError`; json and yaml add `RecursionError` and `ValueError`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from ferdata.core.errors import FerdataError, ParseError

_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it, ten times as fast; it makes plain values only, too."""

_LONGEST = 200  # characters shown of what a parser said


@contextmanager
def parsing(kind: str) -> Iterator[None]:
    """Turn what is thrown in the block, which should be one call of a parser, into `ParseError`.

    Args:
        kind: What the data should be, for the message: `an HDF5 file`.
    """
    try:
        yield
    except FerdataError:
        raise
    except Exception as error:
        said = str(error).partition("\n")[0][:_LONGEST] or type(error).__name__
        raise ParseError(f"not {kind} ({said})") from error


def parse_json(data: bytes | str) -> Any:
    """Parse JSON; bytes are UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises:
        ParseError: It is not JSON.
    """
    with parsing("JSON"):
        return json.loads(data)


def parse_yaml(data: bytes | str) -> Any:
    """Parse YAML into plain values; bytes are UTF-8 or UTF-16.

    Raises:
        ParseError: It is not YAML.
    """
    with parsing("YAML"):
        return yaml.load(data, Loader=_SAFE_LOADER)  # noqa: S506 - one of the two safe loaders
