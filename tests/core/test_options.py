"""Options as typed models: what is wrong is said in plain words, with the name that was meant."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BeforeValidator, Field, model_validator

from ferdata.core.errors import OptionError
from ferdata.core.options import Options, flag, parsed_by, read_by, split_words


def _parse(text: str) -> None:
    if text != "right":
        raise OptionError("it must be right")


class Sample(Options):
    """Options of the tests."""

    size: int = Field(112, ge=16, le=1024)
    """Side of the images."""
    rate: float = Field(0.5, gt=0, lt=1)
    """A fraction."""
    color: Literal["rgb", "gray"] = "rgb"
    """The color space."""
    names: Annotated[tuple[str, ...], BeforeValidator(split_words)] = Field(("a",), min_length=1)
    """Some words."""
    leak_free: bool = False
    """Without leaks."""
    rule: Annotated[str, parsed_by(_parse)] = "right"
    """Checked by a function."""
    twice: Annotated[int, read_by(lambda value: 2 * int(value))] = 2
    """Made by a function."""

    @model_validator(mode="after")
    def _consistent(self) -> Sample:
        if self.leak_free and self.size > 100:
            raise ValueError("--leak-free goes with a size up to 100")
        return self


def test_values_come_as_text_or_as_they_are() -> None:
    options = Sample.checked({"size": "48", "names": "a, b", "twice": "4"})
    assert (options.size, options.names, options.twice) == (48, ("a", "b"), 8)
    assert Sample.checked({"names": ["x"]}).names == ("x",)
    assert options.given() == {"size": 48, "names": ("a", "b"), "twice": 8}


def test_help_stands_below_the_field() -> None:
    assert Sample.model_fields["size"].description == "Side of the images."


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 5}, "size 5: must be at least 16"),
        ({"size": 5000}, "size 5000: must be at most 1024"),
        ({"rate": 0}, "rate 0: must be above 0"),
        ({"rate": 1.0}, "rate 1.0: must be below 1"),
        ({"size": "big"}, "size big: expected a whole number"),
        ({"rate": "much"}, "rate much: expected a number"),
        ({"leak_free": "perhaps"}, "leak_free perhaps: expected true or false"),
        ({"color": "grey"}, "color grey: expected one of rgb, gray; did you mean gray?"),
        ({"color": "cmyk"}, "color cmyk: expected one of rgb, gray"),
        ({"names": []}, "names []: expected at least one value"),
        ({"names": 3}, "names 3: expected a list"),
        ({"rule": "wrong"}, "rule wrong: it must be right"),
        ({"sise": 5}, "unknown test option sise; did you mean size?"),
        ({"colour": "rgb"}, "unknown test option colour; it is called color"),
        ({"sound": True}, "unknown test option sound; it is called leak_free"),
        ({"xyzzy": 5}, "unknown test option xyzzy; expected one of size, rate, color"),
        ({"leak_free": True}, "--leak-free goes with a size up to 100"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(values: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Sample.checked(values, kind="test option")
    assert str(caught.value).startswith(message)


def test_names_are_spelled_as_the_caller_writes_them() -> None:
    with pytest.raises(OptionError, match=r"^--leak-free maybe: expected true or false$"):
        Sample.checked({"leak_free": "maybe"}, spelled=flag)
    with pytest.raises(OptionError, match=r"unknown option --sise; did you mean --size\?"):
        Sample.checked({"sise": 1}, spelled=flag)
