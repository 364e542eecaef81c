"""Registries: what ferdata, your program and installed packages offer, by name.

A package adds to a registry with an entry point of the group `ferdata.plugins`, named `KIND.NAME`:

    [project.entry-points."ferdata.plugins"]
    "detector.my_detector" = "my_package.faces:MyDetector"

Nothing is imported before it is requested by name, so listing names is cheap.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from ferdata.core.errors import PluginError, UnknownNameError

Value = TypeVar("Value")

logger = logging.getLogger(__name__)

GROUP = "ferdata.plugins"
"""The entry point group of packages that add to ferdata."""

KINDS = (
    "dataset",
    "detector",
    "model",
    "operation",
    "format",
    "export",
    "label_rule",
    "audit_rule",
)
"""What a plugin can add; the first part of an entry point's name."""

_REGISTERED: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
"""What was registered in this process, by kind and name."""


class Registry(Generic[Value]):
    """Objects of one kind by name.

    Args:
        kind: One of `KINDS`.
        built_in: `"module:attribute"` by name, for what ships with ferdata.
        label: What messages call an object; default: its kind.

    Raises:
        PluginError: The kind is not one of `KINDS`.
    """

    def __init__(self, kind: str, built_in: Mapping[str, str], label: str = "") -> None:
        if kind not in KINDS:
            raise PluginError(
                f"{kind!r} is not a kind of plugin; expected one of {', '.join(KINDS)}"
            )
        self.kind = kind
        self._label = label or kind.replace("_", " ")
        self._built_in = dict(built_in)
        self._registered: dict[str, Value] = _REGISTERED[kind]

    def register(self, name: str) -> Callable[[Value], Value]:
        """Return a decorator that adds an object under a name, in this process.

        Worker processes import modules again; use an entry point, or register in a module that they
        import too.

        Raises:
            PluginError: The name is taken.
        """
        if name in self.names():
            raise PluginError(
                f"there is already a {self._label} named {name!r}; choose another name"
            )

        def add(value: Value) -> Value:
            self._registered[name] = value
            return value

        return add

    def unregister(self, name: str) -> None:
        """Remove what `register` added under a name."""
        self._registered.pop(name, None)

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted, without importing anything."""
        return tuple(sorted({*self._built_in, *self._registered, *_plugins(self.kind)}))

    def get(self, name: str) -> Value:
        """Return the object with a name, importing it on first use.

        Raises:
            UnknownNameError: There is no such name.
            PluginError: Its package can't be imported, or two packages offer the same name.
        """
        if name in self._registered:
            return self._registered[name]
        plugins = _plugins(self.kind).get(name, ())
        if len(plugins) + (name in self._built_in) > 1:
            owners = [*(["ferdata"] if name in self._built_in else []), *map(_owner, plugins)]
            raise PluginError(
                f"{self._label} {name!r} comes from {' and from '.join(owners)}; uninstall one"
            )
        if name in self._built_in:
            module, _, attribute = self._built_in[name].partition(":")
            value: Value = getattr(import_module(module), attribute)
            return value
        if plugins:
            loaded: Value = _load(plugins[0], self._label)
            return loaded
        raise UnknownNameError(self._label, name, self.names())

    def all(self) -> list[Value]:
        """Import and return all objects, sorted by name."""
        return [self.get(name) for name in self]

    def require(self, name: str) -> None:
        """Check that there is an object with a name, without importing it.

        Raises:
            UnknownNameError: There is none; the message lists those that there are.
        """
        if name not in self:
            raise UnknownNameError(self._label, name, self.names())

    def __contains__(self, name: str) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())


def provider(kind: str, name: str) -> str | None:
    """Return name and version of the package that brings something by an entry point.

    Args:
        kind: One of `KINDS`.
        name: The thing's name.

    Returns:
        For instance `"my-package 1.2"`; None for what ferdata or the running program brings.
    """
    plugins = _plugins(kind).get(name)
    return _owner(plugins[0]) if plugins else None


@cache
def _plugins(kind: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Return the entry points of a kind by name."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=GROUP):
        its_kind, _, name = entry.name.partition(".")
        if its_kind not in KINDS or not name:
            logger.warning(
                "ignored the entry point %r of %s in %s; expected one of %s",
                entry.name, _owner(entry), GROUP, ", ".join(f"{each}.NAME" for each in KINDS),
            )  # fmt: skip
        elif its_kind == kind:
            found[name] = (*found.get(name, ()), entry)
    return found


def _load(entry: EntryPoint, label: str) -> Any:
    try:
        return entry.load()
    except Exception as error:
        raise PluginError(
            f"{label} {entry.name.partition('.')[2]!r} can't be loaded from {_owner(entry)} "
            f"({entry.value}): {type(error).__name__}: {error}. Update or uninstall that package."
        ) from error


def _owner(entry: EntryPoint) -> str:
    """Return name and version of the distribution that an entry point belongs to."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
