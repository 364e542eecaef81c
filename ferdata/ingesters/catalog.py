"""The ingesters of all datasets: those of this package, one folder each, and those of plugins."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from ferdata.core.errors import ManifestError, PluginError
from ferdata.core.registry import Registry
from ferdata.ingesters.contract import Ingester

logger = logging.getLogger(__name__)

_PACKAGE = __name__.rpartition(".")[0]

_SHIPPED: dict[str, str] = {}
"""Module and class of each dataset of this package; filled as their modules are imported."""

_Class = TypeVar("_Class", bound=type[Ingester])


def register(name: str) -> Callable[[_Class], _Class]:
    """Return a decorator that registers an ingester class under a dataset's name.

    Datasets of this package are found by it; a program's own is known in its process. An installed
    package uses an entry point instead, see `ferdata.core.registry`.

    Raises:
        PluginError: The name is taken.
    """

    def add(ingester_class: _Class) -> _Class:
        ingester_class.name = name
        if ingester_class.__module__.startswith(f"{_PACKAGE}."):
            _SHIPPED[name] = f"{ingester_class.__module__}:{ingester_class.__name__}"
        else:
            datasets().register(name)(ingester_class)
        return ingester_class

    return add


def dataset_packages() -> tuple[str, ...]:
    """Return the full names of this package's folders of datasets, sorted.

    A folder is a dataset's if it holds an `ingester.py`; it needs no `__init__.py`.
    """
    found = Path(__file__).parent.glob("*/ingester.py")
    return tuple(sorted(f"{_PACKAGE}.{path.parent.name}" for path in found))


@cache
def datasets() -> Registry[type[Ingester]]:
    """Return the registry of ingester classes; plugins are imported when they are used."""
    for package in dataset_packages():
        importlib.import_module(f"{package}.ingester")
    return Registry("dataset", _SHIPPED)


def ingester(name: str) -> Ingester:
    """Return the ingester of a dataset.

    Raises:
        UnknownNameError: There is no such dataset.
        PluginError: It comes from a plugin that can't be used.
    """
    found = datasets().get(name)
    if not (isinstance(found, type) and issubclass(found, Ingester)):
        raise PluginError(f"dataset {name!r}: {found!r} is not a subclass of Ingester")
    if getattr(found, "name", None) != name:
        raise PluginError(
            f"dataset {name!r}: {found.__module__}.{found.__name__} needs the class attribute "
            f"name = {name!r}, the same as its entry point 'dataset.{name}'"
        )
    return found()


def all_ingesters() -> dict[str, Ingester]:
    """Return the ingester of every dataset by name, sorted.

    A plugin that can't be used is skipped with a warning, so that it doesn't get in the way of
    the other datasets.
    """
    found = {}
    for name in datasets().names():
        try:
            reader = ingester(name)
            _ = reader.info
        except (PluginError, ManifestError) as error:
            if name in _SHIPPED:
                raise
            _warn_once(f"skipping the dataset {name!r} of a plugin: {error}")
        else:
            found[name] = reader
    return found


@cache
def _warn_once(text: str) -> None:
    logger.warning("%s", text)
