"""The training part of a recipe, for a build."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ferdata.core.errors import OptionError
from ferdata.data import Build
from ferdata.recipes import Recipe, load_recipe
from ferdata.runs.options import TrainOptions, read_options

logger = logging.getLogger(__name__)


def recipe_options(name: str, build: Build, given: Mapping[str, Any]) -> TrainOptions:
    """Return the options of a recipe for a build, those that were given in their place.

    Args:
        name: A recipe's name, or the path of a YAML file.
        build: The build to train on.
        given: Options as plain values; they come before the recipe's.

    Raises:
        UnknownNameError: There is no such recipe.
        ManifestError: The recipe's file is broken.
        OptionError: An option is not known, or has a value that it can't have.
    """
    recipe = load_recipe(name)
    _say_what_differs(recipe, build)
    own = recipe.train_options(build.name) if build.name in recipe.datasets else dict(recipe.train)
    if "model" in given and given["model"] != own.get("model"):
        own.pop("model_options", None)  # those of the recipe's model
    try:
        return read_options({**own, **given, "recipe": recipe.name})
    except OptionError as error:
        raise OptionError(f"recipe {recipe.name}: {error}") from None


def _say_what_differs(recipe: Recipe, build: Build) -> None:
    """Warn where the data are not those of the recipe; its training part is followed anyway."""
    if build.name not in recipe.datasets:
        logger.warning(
            "the recipe %s is for %s; its training part is used on %s as it stands",
            recipe.name, ", ".join(recipe.datasets), build.name,
        )  # fmt: skip
    elif build.record.options.recipe != recipe.name:
        logger.warning(
            "%s was not built by the recipe %s, so size, split or augmentation may differ from its "
            "protocol; ferdata build %s --recipe %s makes the data for it",
            build.root, recipe.name, build.name, recipe.name,
        )  # fmt: skip
