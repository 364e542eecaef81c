"""Command-line flags from options: each field of an options model becomes a flag with its help.

@app.command(cls=SectionedCommand)
@with_flags(flags_of(BuildOptions), flags_of(Execution))
def build(out: Out, given: dict[str, Any]) -> None:
options = BuildOptions.checked(given)
"""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from typer.core import TyperCommand

from ferdata.cli.completion import Complete, complete_listed, complete_words
from ferdata.core.errors import OptionError, ParseError
from ferdata.core.options import Listed, Metavar, Options, flag
from ferdata.core.parsing import parse_yaml

Command = Callable[..., None]

Config = Annotated[
    Path | None,
    typer.Option("--config", help="YAML file of options; flags override it."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Device = Annotated[
    Literal["auto", "cpu", "gpu"],
    typer.Option(help="Device; auto uses a GPU if there is one."),
]
Checkpoint = Annotated[
    Literal["best", "last"] | None,
    typer.Option(help="Checkpoint to use. [default: the one that the run selected]"),
]
Workers = Annotated[int | None, typer.Option(help="Number of processes. [default: one per core]")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only warnings and results.")]


@dataclass(frozen=True)
class Flag:
    """One flag of a command.

    Attributes:
        name: The option's name.
        help: What it does.
        metavar: Placeholder of its value in the help; empty for a switch.
        section: Heading of its part of the help.
        default: The default as shown in the help; empty to show none.
        is_yaml: Whether its value is a list or a mapping, written in YAML.
        choice: Whether it is one of the choices that datasets offer.
        complete: What a shell completes its value by; None for files.
    """

    name: str
    help: str
    metavar: str = ""
    section: str = "Options"
    default: str = ""
    is_yaml: bool = False
    choice: bool = False
    complete: Complete | None = None

    def parameter(self) -> inspect.Parameter:
        """Return the parameter from which typer makes the flag."""
        spelled = flag(self.name)
        names = [spelled] if self.metavar else [f"{spelled}/--no-{spelled[2:]}"]
        option = typer.Option(
            *(["--quiet", "-q"] if self.name == "quiet" else names),
            help=f"{self.help} [default: {self.default}]" if self.default else self.help,
            metavar=self.metavar or None,
            show_default=False,
            rich_help_panel=self.section,
            autocompletion=self.complete,
        )
        kind: Any = str | None if self.metavar else bool | None
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind, option],
        )

    def read(self, value: Any) -> Any:
        """Return a given value; lists and mappings are parsed as YAML."""
        return read_yaml(value, flag(self.name)) if self.is_yaml else value


def flags_of(model: type[Options]) -> Iterator[Flag]:
    """Yield a flag for each option of a model, in order."""
    section = "Options"
    for name, info in model.model_fields.items():
        section = model.sections.get(name, section)
        if name not in model.without_flag:
            yield _flag(name, info, section, known=model.model_fields)


def with_flags(*groups: Iterable[Flag]) -> Callable[[Command], Command]:
    """Return a decorator that adds flags to a command.

    The command gets an argument `given`: the options on the command line by name, so that a
    recipe, a file and the defaults can fill in the others. Choices of datasets are grouped under
    `"choices"`.
    """
    flags = [each for group in groups for each in group]

    def decorate(command: Command) -> Command:
        own = inspect.signature(command, eval_str=True).parameters.values()
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [each.replace(kind=keyword) for each in own if each.name != "given"]

        @functools.wraps(command)
        def run(**values: Any) -> None:
            used = {each: values.pop(each.name) for each in flags}
            used = {each: value for each, value in used.items() if value is not None}
            given = {each.name: each.read(value) for each, value in used.items() if not each.choice}
            choices = {each.name: value for each, value in used.items() if each.choice}
            command(**values, given=given | ({"choices": choices} if choices else {}))

        signature = inspect.Signature([*parameters, *(each.parameter() for each in flags)])
        run.__signature__ = signature  # type: ignore[attr-defined]  # what typer looks at
        run.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
        return run

    return decorate


class SectionedCommand(TyperCommand):
    """A command whose help lists its flags under headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the flags, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                argument = parameter.param_type_name == "argument"
                heading = getattr(parameter, "rich_help_panel", None) or "Options"
                sections.setdefault("Arguments" if argument else heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def read_settings(settings: Iterable[str]) -> dict[str, Any]:
    """Parse `NAME=VALUE` pairs; a value is YAML.

    Raises:
        OptionError: One is not a pair, or its value is not YAML.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, mark, text = setting.partition("=")
        if not mark or not name.strip():
            raise OptionError(f"--set {setting}: expected NAME=VALUE, such as lookahead=true")
        values[name.strip().replace("-", "_")] = read_yaml(text, "--set")
    return values


def read_yaml(text: str, where: str) -> Any:
    """Parse a value in YAML.

    Raises:
        OptionError: It is not YAML.
    """
    try:
        return parse_yaml(text)
    except ParseError as error:
        raise OptionError(f"{where} {text}: the value is not YAML ({error.__cause__})") from None


def _flag(name: str, info: FieldInfo, section: str, *, known: Container[str]) -> Flag:
    """Return the flag of one field; other fields in its help are written as flags."""
    kind = next(each for each in _alternatives(info.annotation) if each is not type(None))
    help_text = " ".join((info.description or "").split())
    help_text = re.sub(r"`([^`]*)`", lambda code: _spelled(code[1], known), help_text)
    default = info.default
    plain = default is None or default is False or default in ({}, ()) or "[default" in help_text
    words = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return Flag(
        name=name,
        help=help_text,
        metavar="" if kind is bool else _metavar(kind, info),
        section=section,
        default="" if plain else words,
        is_yaml=get_origin(kind) in (dict, list, tuple),
        complete=_completion(kind, info),
    )


def _spelled(code: str, known: Container[str]) -> str:
    """Return what a docstring has in backticks as the help shows it: a flag, or a quoted value."""
    if code in known:
        return flag(code)
    return code if code.startswith("--") else f"'{code}'"


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the types of a union, or the one type."""
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _completion(kind: Any, info: FieldInfo) -> Complete | None:
    """Return how a value is completed: by the names listed for it, or the words of its type."""
    for each in info.metadata:
        if isinstance(each, Listed):
            return complete_listed(each.where)
    for literal in (kind, *get_args(kind)[:1]):
        if get_origin(literal) is Literal:
            return complete_words(tuple(map(str, get_args(literal))))
    return None


def _metavar(kind: Any, info: FieldInfo) -> str:
    """Return the placeholder of a value in the help: the accepted words, or its type."""
    for each in info.metadata:
        if isinstance(each, Metavar):
            return each.text
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if get_origin(kind) is tuple and get_origin(get_args(kind)[0]) is Literal:
        return ",".join(map(str, get_args(get_args(kind)[0])))
    names = {int: "N", float: "X", str: "TEXT", dict: "YAML", tuple: "YAML", list: "YAML"}
    return names.get(get_origin(kind) or kind, "VALUE")
