"""Options of a run from what a user gave and from a recipe's training part."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferdata.core.errors import OptionError
from ferdata.data import Build
from ferdata.recipes import Recipe, load_recipe
from ferdata.runs.folder import RunFolder, default_folder
from ferdata.runs.options import TrainOptions

logger = logging.getLogger(__name__)


def run_options(
    given: Mapping[str, Any],
    build: Build,
    *,
    recipe: str | None = None,
    out: Path | None = None,
    resume: bool = False,
) -> TrainOptions:
    """Return the options to call `train` with.

    A resumed run keeps what the recipe said when the run began, so only `given` is held against it.

    Args:
        given: Options as plain values; they take precedence over the recipe's.
        build: The build to train on.
        recipe: A recipe's name, or the path of a YAML file.
        out: Folder of the run; default `runs/BUILD-MODEL`.
        resume: Whether a run in that folder is to be resumed.

    Raises:
        UnknownNameError: There is no such recipe.
        ManifestError: The recipe's file is broken.
        OptionError: An option is unknown or has an invalid value.
    """
    if recipe is None:
        return TrainOptions.checked(given)
    options = recipe_options(recipe, build, given)
    folder = RunFolder(out or default_folder(build.name, options.model))
    if resume and folder.record_file.is_file():
        return TrainOptions.checked({"model": options.model, **given, "recipe": options.recipe})
    return options


def recipe_options(name: str, build: Build, given: Mapping[str, Any]) -> TrainOptions:
    """Return the options of a recipe for a build, with those that were given in their place.

    Args:
        name: A recipe's name, or the path of a YAML file.
        build: The build to train on.
        given: Options as plain values; they take precedence over the recipe's. `model_options`
            update those of the recipe key by key, unless another model is given.

    Raises:
        UnknownNameError: There is no such recipe.
        ManifestError: The recipe's file is broken.
        OptionError: An option is unknown or has an invalid value.
    """
    recipe = load_recipe(name)
    _warn_of_other_data(recipe, build)
    own = recipe.train_options(build.name) if build.name in recipe.datasets else dict(recipe.train)
    merged = overlay(own, given) | {"recipe": recipe.name}
    try:
        return TrainOptions.checked(merged)
    except OptionError as error:
        raise OptionError(f"recipe {recipe.name}: {error}") from None


def overlay(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with others in their place.

    `model_options` are replaced one by one, or as a whole where another model takes the place of
    the one that they are for.
    """
    merged = {**under, **over}
    if "model" in over and over["model"] != under.get("model", over["model"]):
        merged["model_options"] = over.get("model_options", {})
    elif isinstance(over.get("model_options"), Mapping):
        merged["model_options"] = {**under.get("model_options", {}), **over["model_options"]}
    return merged


def _warn_of_other_data(recipe: Recipe, build: Build) -> None:
    """Warn if the data are not those of the recipe; its training part is used anyway."""
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
