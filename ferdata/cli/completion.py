"""Completion of values in bash, zsh and fish: `ferdata --install-completion` turns it on.

What an option or argument can be is listed by the part of ferdata that knows it, which is imported
when a shell asks. Nothing is completed where that fails: a shell has no place for an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module

from ferdata.core.errors import FerdataError

Complete = Callable[[str], list[str]]


def complete_words(words: Sequence[str]) -> Complete:
    """Return the completion of an option that is one of some words."""
    return _completing(lambda: words)


def complete_listed(listing: str) -> Complete:
    """Return the completion by names that are listed elsewhere.

    Args:
        listing: `module:name` of an iterable of names, or of a function that returns one.
    """

    def names() -> Iterable[str]:
        module, _, name = listing.partition(":")
        found = getattr(import_module(module), name)
        listed: Iterable[str] = found() if callable(found) else found
        return listed

    return _completing(names)


def buildable_names() -> tuple[str, ...]:
    """Return the names that `ferdata build` takes: datasets, ready declarations and mixes."""
    from ferdata.ingesters.lookup import dataset_names, declared_names  # noqa: PLC0415 - YAML
    from ferdata.recipes.mix import mix_names  # noqa: PLC0415

    return (*dataset_names(), *declared_names(), *mix_names())


def _completing(names: Callable[[], Iterable[str]]) -> Complete:
    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")  # one of several: hdf5,h…
        try:
            return [f"{before}{comma}{name}" for name in names() if name.startswith(last)]
        except (FerdataError, ImportError):
            return []

    return complete
