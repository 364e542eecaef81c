"""Flags made of options: one declaration, told as help and read as values."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pytest
import typer
from pydantic import BeforeValidator, Field
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.cli.flags import Flag, SectionedCommand, flags_of, read_settings, with_flags
from ferdata.core.errors import OptionError
from ferdata.core.options import Metavar, Options, split_words
from ferdata.core.version import __version__


class Sample(Options):
    """Options of the tests."""

    sections: ClassVar[dict[str, str]] = {"size": "Images", "seed": "Draws"}
    without_flag: ClassVar[frozenset[str]] = frozenset({"inner"})

    size: int = 112
    """Side in `pixels`, see `color`."""
    color: Literal["rgb", "gray"] = "rgb"
    """Color space."""
    formats: Annotated[tuple[Literal["a", "b"], ...], BeforeValidator(split_words)] = ("a", "b")
    """Formats."""
    table: dict[str, Any] = {}
    """A mapping."""
    file: Annotated[str | None, Metavar("FILE")] = None
    """A file [default: none at all]."""
    bright: bool = False
    """A switch."""
    seed: int = Field(0, ge=0)
    """A seed."""
    inner: int = 3
    """Not a flag."""


CHOICE = Flag("poses", "Which poses.", "half|all", "Data", "half", choice=True)


@pytest.fixture
def run():
    """Return a function that runs a command with these flags and returns what it was given."""
    app = typer.Typer(rich_markup_mode=None)
    seen: dict[str, Any] = {}

    @app.command(cls=SectionedCommand)
    @with_flags(flags_of(Sample), [CHOICE])
    def command(given: dict[str, Any], name: str, more: bool = False) -> None:
        """Do something."""
        seen.update(given=given, name=name, more=more)

    def invoke(*words: str) -> Any:
        seen.clear()
        result = CliRunner().invoke(app, list(words))
        return result.output if result.exit_code or "--help" in words else dict(seen)

    return invoke


def test_only_what_was_given_arrives(run) -> None:
    assert run("x") == {"given": {}, "name": "x", "more": False}
    found = run("x", "--size", "48", "--bright", "--more", "--poses", "all")
    assert found["given"] == {"size": "48", "bright": True, "choices": {"poses": "all"}}
    assert found["more"] is True
    assert run("x", "--no-bright")["given"] == {"bright": False}


def test_lists_and_mappings_are_yaml(run) -> None:
    given = run("x", "--table", "{window: 1}", "--formats", "b,a")["given"]
    assert given == {"table": {"window": 1}, "formats": "b,a"}
    assert Sample.checked(given).formats == ("b", "a")
    assert isinstance(run("x", "--table", "{"), str)


def test_the_help_is_made_of_the_declaration(run) -> None:
    text = " ".join(run("--help").split())
    assert "Images: --size N Side in 'pixels', see --color. [default: 112]" in text
    assert "--color rgb|gray Color space. [default: rgb]" in text
    assert "--formats a,b Formats. [default: a,b]" in text
    assert "--file FILE A file [default: none at all]." in text
    assert "--bright / --no-bright A switch." in text
    assert "Draws: --seed N A seed. [default: 0]" in text
    assert "Data: --poses half|all Which poses. [default: half]" in text
    assert "--inner" not in text


def test_flags_that_do_not_exist_are_refused(run) -> None:
    assert "No such option: --sise" in run("x", "--sise", "3")


def test_settings_are_pairs() -> None:
    assert read_settings(["a-b=[1, 2]", "c=x"]) == {"a_b": [1, 2], "c": "x"}
    for wrong in ("a", "=3", "a=["):
        with pytest.raises(OptionError, match="--set"):
            read_settings([wrong])


def test_long_help_is_grouped_and_fits_80_columns() -> None:
    headings = {
        "build": [
            "Data",
            "Recipe",
            "Split",
            "Augmentation",
            "Faces",
            "Images",
            "Output",
            "Execution",
        ],
        "train": ["Model", "Augmentation during training", "Optimizer", "Loss", "Devices"],
    }
    for verb, expected in headings.items():
        result = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "80"})
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        found = [line[:-1] for line in lines if line.endswith(":") and not line.startswith(" ")]
        assert [each for each in found if each in expected] == expected
        options = lines[lines.index("Options:") :]
        names = [line for line in options if line.startswith("  -") and "   " not in line.strip()]
        assert all(len(line) <= 80 for line in options if line not in names)


def test_the_version_has_a_short_flag() -> None:
    result = CliRunner().invoke(app, ["-V"])
    assert result.output == f"ferdata {__version__}\n"
