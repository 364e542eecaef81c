"""Packages whose names are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ferdata.core.errors import MissingExtraError
from ferdata.core.extras import extra_of
from ferdata.core.suggestions import closest


def lazy_names(
    package: str, homes: Mapping[str, str], *, guesses: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package whose names are imported on first use.

    Args:
        package: The package's `__name__`.
        homes: The module of each public name, inside the package or, with a dot, anywhere; the name
            there follows a colon where it is another.
        guesses: Names that other packages have, with the public name that is meant.

    Raises:
        MissingExtraError: On use of a name whose module needs an extra that is not installed.
    """

    def get(name: str) -> Any:
        if name not in homes:
            meant = [(guesses or {}).get(name), *closest(name, homes)]
            hint = next((f"; did you mean {package}.{each}?" for each in meant if each), "")
            raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")
        home, _, attribute = homes[name].partition(":")
        home = home if "." in home else f"{package}.{home}"
        try:
            value = getattr(import_module(home), attribute or name)
        except ModuleNotFoundError as error:
            extra = extra_of(error.name or "")
            if extra is None:
                raise
            raise MissingExtraError(f"{package}.{name}", extra, error) from error
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names
