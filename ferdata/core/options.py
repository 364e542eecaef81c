"""Options as typed models: one declaration defines type, default, range, help and flag.

    class ResizeOptions(Options):
        size: int = Field(112, ge=16, le=1024)
        \"\"\"Side of the square output images, in pixels.\"\"\"

Python, YAML files and the command line all use this declaration. Modules with options import no
heavy library; a field that only a heavy module can check imports it in its validator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from ferdata.core.errors import FerdataError, OptionError
from ferdata.core.suggestions import closest

RENAMED = {
    "sound": "leak_free",
    "centre_loss": "center_loss",
    "centre_rate": "center_rate",
    "licence": "license",
    "colour": "color",
    "equalise": "equalize",
    "grey": "gray",
}
"""Former names and other spellings, with the current name."""

_ELSEWHERE = {
    "cuda": "gpu",
    "data_dir": "data",
    "image_size": "size",
    "img_size": "size",
    "learning_rate": "lr",
    "path": "data",
    "root": "data",
}
"""What other tools call an option or a value, with ferdata's name."""


class Options(BaseModel):
    """Base of all options.

    Attributes:
        sections: Headings of the help text, by the first option below each.
        without_flag: Options that have no flag of their own on the command line.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )

    sections: ClassVar[Mapping[str, str]] = {}
    without_flag: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def checked(
        cls,
        values: Mapping[str, Any],
        *,
        kind: str = "option",
        spelled: Callable[[str], str] = str,
    ) -> Self:
        """Check option values and return the options.

        Args:
            values: Values by name; other options keep their defaults.
            kind: What an option is called in messages, for instance `"build option"`.
            spelled: How an option is written in messages: `flag` for the command line.

        Raises:
            OptionError: An option does not exist, or its value is out of range or of a wrong type.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise OptionError(explain(error, cls, kind=kind, spelled=spelled)) from None

    def given(self) -> dict[str, Any]:
        """Return the options that were set explicitly, as values for `checked`."""
        return self.model_dump(include=self.model_fields_set)


def flag(name: str) -> str:
    """Return an option as written on the command line, for instance `--label-rule`."""
    return "--" + name.replace("_", "-")


def split_words(value: Any) -> Any:
    """Split text at commas; `"hdf5,hf"` becomes two words."""
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


def parsed_by(parse: Callable[[Any], Any]) -> AfterValidator:
    """Check a value with a function that raises `FerdataError`; the value is not changed."""

    def check(value: Any) -> Any:
        try:
            parse(value)
        except FerdataError as error:
            raise ValueError(str(error)) from error
        return value

    return AfterValidator(check)


def read_by(read: Callable[[Any], Any]) -> BeforeValidator:
    """Replace a value by the result of a function, which may raise `FerdataError`."""

    def convert(value: Any) -> Any:
        try:
            return read(value)
        except FerdataError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(convert)


@dataclass(frozen=True)
class Metavar:
    """Placeholder of an option's value in the help, if its type is not enough.

    Attributes:
        text: For instance `"FILE"`.
    """

    text: str


@dataclass(frozen=True)
class Listed:
    """Where an option's known values are listed, for completion in a shell.

    Attributes:
        where: `module:name` of an iterable of names, or of a function that returns one.
    """

    where: str


Words = Annotated[tuple[str, ...], BeforeValidator(split_words)]
"""Several words, separated by commas on the command line."""


def explain(
    error: ValidationError,
    model: type[BaseModel],
    *,
    kind: str = "option",
    spelled: Callable[[str], str] = str,
) -> str:
    """Return the message for an invalid value: the option, its value, and what was expected.

    Args:
        error: The error that pydantic raised.
        model: The model that raised it.
        kind: What a field is called, for instance `"build option"`.
        spelled: How a field is written in messages.
    """
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    if not place:  # several fields that contradict each other
        return first["msg"].removeprefix("Value error, ")
    where = ".".join([spelled(place[0]), *place[1:]])
    if first["type"] == "extra_forbidden" and len(place) == 1:
        return unknown_name(kind, place[0], model.model_fields, spelled=spelled)
    if first["type"] == "missing":
        return f"{where} is missing"
    value = first["input"]
    shown = value if isinstance(value, str) and value else repr(value)
    return f"{where} {shown}: {_expectation(first)}"


def unknown_name(
    kind: str, name: str, known: Mapping[str, Any], *, spelled: Callable[[str], str] = str
) -> str:
    """Return the message for an unknown name, with the one that was probably meant."""
    plain = name.replace("-", "_")
    if (renamed := (RENAMED | _ELSEWHERE).get(plain)) in known:
        return f"unknown {kind} {spelled(plain)}; it is called {spelled(str(renamed))}"
    if close := closest(plain, known):
        return f"unknown {kind} {spelled(plain)}; did you mean {spelled(close[0])}?"
    return f"unknown {kind} {spelled(plain)}; expected one of {', '.join(map(spelled, known))}"


def _expectation(error: Any) -> str:
    """Return what was expected instead of a value."""
    context = error.get("ctx", {})
    limits = {
        "greater_than_equal": "must be at least {ge}",
        "greater_than": "must be above {gt}",
        "less_than_equal": "must be at most {le}",
        "less_than": "must be below {lt}",
    }
    if error["type"] in limits:
        return limits[error["type"]].format(**context)
    if error["type"] == "literal_error":
        return _expected_words(str(error["input"]), context["expected"])
    for start, words in _TYPES.items():
        if error["type"].startswith(start):
            return words
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _expected_words(given: str, listed: str) -> str:
    """List the accepted words, which pydantic gives as `'a', 'b' or 'c'`."""
    words = [word.strip().strip("'") for word in listed.replace(" or ", ", ").split(",")]
    close = closest((RENAMED | _ELSEWHERE).get(given, given), words)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"expected one of {', '.join(words)}{hint}"


_TYPES = {
    "int": "expected a whole number",
    "float": "expected a number",
    "finite_number": "expected a finite number",
    "bool": "expected true or false",
    "string": "expected text",
    "path": "expected a path",
    "dict": "expected a mapping of names to values",
    "tuple": "expected a list",
    "list": "expected a list",
    "too_short": "expected at least one value",
}
"""Prefixes of pydantic's error types, with what was expected."""
