"""`ferdata recipes`: the protocols of papers, their claims, and known problems."""

from __future__ import annotations

from typing import Annotated

import typer

from ferdata.cli.completion import complete_listed
from ferdata.cli.flags import Json
from ferdata.cli.output import echo_json


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A recipe, or the YAML file of one. [default: list all]",
            autocompletion=complete_listed("ferdata.recipes:recipe_names"),
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the recipes of papers, or show one: data, protocol, claims, problems, commands.

    \b
    Examples:
      ferdata recipes
      ferdata recipes lmfer
      ferdata recipes lmfer --json
    """
    from ferdata.recipes import load_recipe, recipe_names  # noqa: PLC0415 - keeps start-up light
    from ferdata.recipes.text import describe, overview  # noqa: PLC0415

    shown = [load_recipe(each) for each in ([name] if name else recipe_names())]
    if as_json:
        echo_json(shown[0] if name else [each.model_dump(mode="json") for each in shown])
    else:
        typer.echo(describe(shown[0], name) if name else overview(shown))
