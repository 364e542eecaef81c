"""Packages that load their public names on first use (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ferdata.core.errors import MissingExtraError


def lazy_names(
    package: str, homes: Mapping[str, str], *, extra: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make `__getattr__` and `__dir__` of a package.

        __getattr__, __dir__ = lazy_names(__name__, {"Build": "build"}, extra="train")

    Args:
        package: Name of the package.
        homes: The module below the package in which each public name is defined.
        extra: The extra of ferdata that installs what these modules import.

    Raises:
        MissingExtraError: On first use of a name whose module needs a package that is not
            installed.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            value = getattr(import_module(f"{package}.{homes[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "ferdata":
                raise
            raise MissingExtraError(f"{package}.{name}", extra, error) from error
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names
