"""What a recipe adds to the options of a build.

Precedence: options given to the build, then the recipe's, then the mix's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ferdata.augmentation.target import parse_target
from ferdata.core.errors import OptionError
from ferdata.core.options import explain, flag
from ferdata.recipes import Recipe, load_recipe
from ferdata.shards.options import BuildOptions

logger = logging.getLogger(__name__)

_LEAK_FREE = {"augment_before_split": False, "allow_group_leak": False, "duplicates": "drop"}
"""What `--leak-free` sets, whatever the recipe says."""

_NOT_IN_RECIPES = ("recipe", "leak_free")
"""Build options that a recipe can't set: they choose the recipe, and how it is followed."""


def apply_recipe(given: BuildOptions, name: str) -> tuple[BuildOptions, Recipe | None]:
    """Fill in the options of a recipe that were not set explicitly.

    Args:
        given: The options as given; those that were not set are filled in.
        name: The dataset or mix that is built.

    Returns:
        The options, in which `recipe` is the recipe's name, and the recipe; None without a recipe.

    Raises:
        UnknownNameError: There is no such recipe.
        ManifestError: It can't be read.
        OptionError: It is for other datasets, sets options that don't exist, or contradicts the
            options given.
    """
    if given.recipe is None:
        return given, None
    recipe = load_recipe(given.recipe)
    wanted = recipe.build_options(name, leak_free=given.leak_free)
    if given.leak_free:
        wanted |= _LEAK_FREE
    _check(wanted, recipe, name)
    own = given.given()
    choices = {**wanted.get("choices", {}), **own.get("choices", {})}
    values = {**wanted, **own, "recipe": recipe.name}
    values |= {"choices": choices} if choices else {}
    return BuildOptions.checked(values, kind="build option", spelled=flag), recipe


def scale_target(options: BuildOptions, scale: float) -> BuildOptions:
    """Scale a recipe's numbers of images to a smaller synthetic copy.

    Args:
        options: Options whose `balance_to` comes from a recipe.
        scale: Size of the copy as a fraction of the real number of images.
    """
    target = parse_target(options.balance_to)
    if isinstance(target, str) or scale == 1:
        return options
    if isinstance(target, Mapping):
        text = ",".join(f"{label}={_scaled(rows, scale)}" for label, rows in target.items())
    else:
        text = str(_scaled(target, scale))
    logger.info(
        "the recipe's numbers of images are for the full dataset; this synthetic copy contains %g "
        "of it and is balanced to %s",
        scale,
        text,
    )
    return options.model_copy(update={"balance_to": text})


def _scaled(rows: int, scale: float) -> int:
    return max(1, round(scale * rows)) if rows else 0


def _check(wanted: Mapping[str, Any], recipe: Recipe, name: str) -> None:
    """Check a recipe's options by themselves, so that the error names the recipe."""
    for key in _NOT_IN_RECIPES:
        if key in wanted:
            raise OptionError(
                f"recipe {recipe.name}: {_place(key, recipe, name)}.{key}: a recipe can't set "
                f"this; remove it and use {flag(key)} when you build"
            )
    try:
        BuildOptions(**{**wanted, "recipe": recipe.name})
    except ValidationError as error:
        place = [str(part) for part in error.errors()[0]["loc"]]
        where = f"{_place(place[0], recipe, name)}: " if place else ""
        problem = explain(error, BuildOptions, kind="build option")
        raise OptionError(f"recipe {recipe.name}: {where}{problem}") from None


def _place(key: str, recipe: Recipe, name: str) -> str:
    """Return the part of a recipe's file that contains an option."""
    protocol = recipe.protocol(name)
    parts = {
        f"datasets.{name}.leak_free": protocol.leak_free,
        "leak_free": recipe.leak_free,
        f"datasets.{name}.build": protocol.build,
    }
    return next((part for part, values in parts.items() if key in values), "build")
