"""Recipes: published protocols as data, which building and training both read."""

from ferdata.recipes.recipe import (
    Claim,
    DatasetProtocol,
    Expected,
    Paper,
    Recipe,
    load_recipe,
    recipe_names,
)

__all__ = ["Claim", "DatasetProtocol", "Expected", "Paper", "Recipe", "load_recipe", "recipe_names"]
