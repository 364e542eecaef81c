"""Options as typed models: one declaration gives the type, default, range, help and flag.

    class ResizeOptions(Options):
        size: int = Field(112, ge=16, le=1024)
        \"\"\"Side of the square output images, in pixels.\"\"\"

Python, YAML files and the command line all read this declaration. Modules with options import no
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
"""Names of earlier versions, and other spellings, with the name of today."""

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
        sections: Heading of the help text by the first option below it.
        without_flag: Options that the command line does not offer under their own name.
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
            values: Values by name; what is not given keeps its default.
            kind: What an option is called in messages, for instance `"build option"`.
            spelled: How an option is written where the values come from, for messages: `flag` for
                the command line.

        Raises:
            OptionError: An option does not exist, or its value is out of range or of another type.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise OptionError(explain(error, cls, kind=kind, spelled=spelled)) from None

    def given(self) -> dict[str, Any]:
        """Return the options that were set explicitly, as values for `checked`."""
        return self.model_dump(include=self.model_fields_set)


def flag(name: str) -> str:
    """Return an option as it is written on the command line, for instance `--label-rule`."""
    return "--" + name.replace("_", "-")


def split_words(value: Any) -> Any:
    """Split text at commas; `"hdf5,hf"` stands for two words."""
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


def parsed_by(parse: Callable[[Any], Any]) -> AfterValidator:
    """Check a value with a function that raises `FerdataError`; the value itself stays."""

    def check(value: Any) -> Any:
        try:
            parse(value)
        except FerdataError as error:
            raise ValueError(str(error)) from error
        return value

    return AfterValidator(check)


def read_by(read: Callable[[Any], Any]) -> BeforeValidator:
    """Replace a value by what a function makes of it; the function may raise `FerdataError`."""

    def convert(value: Any) -> Any:
        try:
            return read(value)
        except FerdataError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(convert)


@dataclass(frozen=True)
class Metavar:
    """What stands for an option's value in the help, where its type does not say it.

    Attributes:
        text: For instance `"FILE"`.
    """

    text: str


Words = Annotated[tuple[str, ...], BeforeValidator(split_words)]
"""Several words, on the command line with commas between them."""


def explain(
    error: ValidationError,
    model: type[BaseModel],
    *,
    kind: str = "option",
    spelled: Callable[[str], str] = str,
) -> str:
    """Say what is wrong with a value: which one, what it is, and what would be right.

    Args:
        error: What pydantic found.
        model: The model that was to be made.
        kind: What a field is called, for instance `"build option"`.
        spelled: How a field is written where the value comes from.
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
    """Return the message for a name that does not exist, with the one that was probably meant."""
    plain = name.replace("-", "_")
    if (renamed := (RENAMED | _ELSEWHERE).get(plain)) in known:
        return f"unknown {kind} {spelled(plain)}; it is called {spelled(str(renamed))}"
    if close := closest(plain, known):
        return f"unknown {kind} {spelled(plain)}; did you mean {spelled(close[0])}?"
    return f"unknown {kind} {spelled(plain)}; expected one of {', '.join(map(spelled, known))}"


def _expectation(error: Any) -> str:
    """Say what a value should have been."""
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
    """Name the words that are accepted; pydantic lists them as `'a', 'b' or 'c'`."""
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
"""The beginning of pydantic's error types, and what was expected."""
