"""Recipes: published protocols as data, which building and training both read."""

from ferdata.recipes.recipe import Claim, Expected, Paper, Recipe, Use, load_recipe, recipe_names

__all__ = ["Claim", "Expected", "Paper", "Recipe", "Use", "load_recipe", "recipe_names"]
