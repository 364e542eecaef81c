"""Names that a newcomer tries first, answered with what to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, ClassVar

from ferdata.core.errors import OptionError
from ferdata.core.options import unknown_name


class AnswersGuesses:
    """An object that says what to write where somebody guesses a name that it does not have."""

    guesses: ClassVar[Mapping[str, str]] = {}
    """What to write, by the name that is guessed."""

    def __getattr__(self, name: str) -> Any:
        if name in self.guesses:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}; write {self.guesses[name]}"
            )
        return self.__getattribute__(name)  # fails as it did, with Python's own message


def require_options(given: Mapping[str, Any], *makers: Callable[..., Any]) -> None:
    """Check the names of options that are passed on.

    Args:
        given: The options.
        *makers: What takes them; what they set themselves doesn't count.

    Raises:
        OptionError: None of them has such a parameter.
    """
    known = {name: None for each in makers for name in signature(each).parameters}
    for name in ("build", "split", "options"):
        known.pop(name, None)
    for name in given:
        if name not in known:
            raise OptionError(unknown_name("option", name, known))
