"""What a recipe adds to the options of a build.

A mix's own options come last, then the recipe's, and what is given to the build itself comes first.
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
"""What `--leak-free` makes of a recipe whatever the recipe says."""


_GIVEN_ONLY = ("recipe", "leak_free")
"""Build options that no recipe has: they choose it, and how it is followed."""


def apply_recipe(given: BuildOptions, name: str) -> tuple[BuildOptions, Recipe | None]:
    """Fill in what a recipe wants where nothing else was given.

    Args:
        given: The options as given; those that were not set are open.
        name: The dataset or mix that is built.

    Returns:
        The options, in which `recipe` is the recipe's name, and the recipe; None where the options
        name none.

    Raises:
        UnknownNameError: There is no such recipe.
        ManifestError: It can't be read.
        OptionError: It is for other datasets, asks for options that there aren't, or what was given
            does not go with it.
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
    """Scale a recipe's numbers of images to a synthetic copy of another size.

    Args:
        options: Options whose `balance_to` is a recipe's.
        scale: Size of the copy, 1 for the real number of images.
    """
    target = parse_target(options.balance_to)
    if isinstance(target, str) or scale == 1:
        return options
    if isinstance(target, Mapping):
        text = ",".join(f"{label}={_scaled(rows, scale)}" for label, rows in target.items())
    else:
        text = str(_scaled(target, scale))
    logger.info(
        "the recipe's numbers of images are for all of the dataset; this synthetic copy has a "
        "share of %g, and is balanced to %s",
        scale,
        text,
    )
    return options.model_copy(update={"balance_to": text})


def _scaled(rows: int, scale: float) -> int:
    return max(1, round(scale * rows)) if rows else 0


def _check(wanted: Mapping[str, Any], recipe: Recipe, name: str) -> None:
    """Check a recipe's options by themselves, so that what is wrong is known to be its fault."""
    for key in _GIVEN_ONLY:
        if key in wanted:
            raise OptionError(
                f"recipe {recipe.name}: {_place(key, recipe, name)}.{key}: this is for whoever "
                f"builds to say, with {flag(key)}; leave it out of the recipe"
            )
    try:
        BuildOptions(**{**wanted, "recipe": recipe.name})
    except ValidationError as error:
        place = [str(part) for part in error.errors()[0]["loc"]]
        where = f"{_place(place[0], recipe, name)}: " if place else ""
        problem = explain(error, BuildOptions, kind="build option")
        raise OptionError(f"recipe {recipe.name}: {where}{problem}") from None


def _place(key: str, recipe: Recipe, name: str) -> str:
    """Return the part of a recipe's file that an option stands in."""
    use = recipe.use(name)
    parts = {
        f"datasets.{name}.leak_free": use.leak_free,
        "leak_free": recipe.leak_free,
        f"datasets.{name}.build": use.build,
    }
    return next((part for part, values in parts.items() if key in values), "build")
