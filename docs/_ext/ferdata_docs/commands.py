"""The command line: a page per verb, from the same declarations as the program's help."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from ferdata.cli.app import VERBS, app
from ferdata_docs.writing import code, fence, table, toctree, write_page


def write_pages(folder: Path) -> None:
    """Write `commands/index.md` and a page per verb."""
    rows = [[f"[`{verb}`]({verb}.md)", line] for verb, line in VERBS.items()]
    write_page(
        folder / "commands" / "index.md",
        "# Command line",
        "`ferdata COMMAND --help` prints what these pages say. Results go to standard output, "
        "progress and messages to standard error. "
        "Exit codes: 0 success; 1 a check failed or a run stopped; "
        "2 wrong usage or data; 130 interrupted.",
        table(["command", ""], rows),
        toctree(VERBS),
    )
    for verb in VERBS:
        write_page(folder / "commands" / f"{verb}.md", *_verb(verb))


@cache
def commands() -> dict[str, Any]:
    """Return every click command by its name on the command line, groups' commands included."""
    found: dict[str, Any] = {}
    root = typer.main.get_command(app)
    for verb in VERBS:
        command = root.get_command(None, verb)  # type: ignore[attr-defined]  # a group
        parts = getattr(command, "commands", None)
        found |= {f"{verb} {name}": each for name, each in parts.items()} if parts else {}
        found |= {} if parts else {verb: command}
    return found


def examples(command: Any) -> str:
    """Return the examples in a command's help, as lines of a shell; empty if there are none."""
    _, _, text = _split_help(command)
    return text


def _verb(verb: str) -> Iterator[str]:
    own = {name: each for name, each in commands().items() if name.split()[0] == verb}
    yield f"# ferdata {verb}"
    if verb not in own:
        yield VERBS[verb]
    for name, command in own.items():
        if name != verb:
            yield f"## ferdata {name}"
        yield from _command(name, command)


def _command(name: str, command: Any) -> Iterator[str]:
    summary, text, shown = _split_help(command)
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join([f"ferdata {name}", *command.collect_usage_pieces(context)])
    yield summary
    yield fence("text", textwrap.fill(usage, 76, subsequent_indent="    ", break_long_words=False))
    if text:
        yield text
    if shown:
        yield fence("sh", shown)
    yield fence(f"{{program}} ferdata {name}", "")
    deeper = "###" if " " in name else "##"
    for heading, parameters in _sections(command, context).items():
        yield f"{deeper} {heading}"
        yield from (_parameter(each, context) for each in parameters)


def _split_help(command: Any) -> tuple[str, str, str]:
    """Return the first paragraph of a help text, the rest, and its examples."""
    text = (command.help or "").replace("\x08\n", "").replace("\x08", "")
    text, _, shown = text.partition("Examples:\n")
    first, _, rest = text.strip().partition("\n\n")
    lines = textwrap.dedent(shown).strip("\n")
    return _linked(first), _linked(rest), lines


def _linked(text: str) -> str:
    """Return help text as Markdown: what stands in quotes there is code."""
    return re.sub(r"'([^'\n]+)'", r"`\1`", text).replace("<", "\\<")


def _sections(command: Any, context: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for parameter in command.get_params(context):
        if parameter.get_help_record(context) is None or parameter.name == "help":
            continue
        argument = parameter.param_type_name == "argument"
        heading = getattr(parameter, "rich_help_panel", None) or "Options"
        found.setdefault("Arguments" if argument else heading, []).append(parameter)
    return found


def _parameter(parameter: Any, context: Any) -> str:
    spelled, text = parameter.get_help_record(context)
    text = _linked(text)
    if parameter.param_type_name == "argument":
        return f"{code(spelled)}\n: {text}"
    return fence(f"{{option}} {spelled.replace(' / ', ', ')}", text)
