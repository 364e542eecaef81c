"""Recipes as text for a terminal: protocols, the papers' claims, and what is wrong with them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ferdata.recipes.recipe import Claim, Expected, Paper, Recipe

WIDTH = 96
"""Columns that no line exceeds, unless a single word does."""

_VALUE = 26  # the column at which values stand

Values = Mapping[str, Any]


def overview(recipes: Sequence[Recipe]) -> str:
    """Return a table of recipes: a line for each dataset, with the accuracy that is claimed."""
    rows = [("name", "model", "dataset", "claimed accuracy")]
    for recipe in recipes:
        model = recipe.title.partition(":")[0]
        for number, dataset in enumerate(recipe.datasets):
            headline = next((each for each in recipe.claims if each.dataset == dataset), None)
            claimed = f"{headline.accuracy:.2f} %, split: {headline.split}" if headline else "none"
            rows.append(("" if number else recipe.name, "" if number else model, dataset, claimed))
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(
        [
            *lines,
            "",
            "The accuracies are the papers' own. The whole protocol, and what is known to be wrong",
            "with it: ferdata recipes NAME",
        ]
    )


def describe(recipe: Recipe, called: str | None = None) -> str:
    """Return everything that a recipe says, for a person.

    Args:
        recipe: The recipe.
        called: What `--recipe` takes for it, where that is not its name: the path of its file.
    """
    parts = [
        "\n".join([f"{recipe.name}: {recipe.title}", _wrapped(recipe.summary)]),
        "\n".join(["Paper", _wrapped(_citation(recipe.paper))]),
        "\n".join(["What the data would have to be", *_data(recipe)]),
        *_options(recipe, "Build", "build", recipe.build, recipe.leak_free),
        *_options(recipe, "Training", "train", recipe.train, {}),
    ]
    if recipe.claims:
        parts.append("\n".join(["What the paper claims", *_claims(recipe.claims)]))
    counts = [
        line
        for dataset, use in recipe.datasets.items()
        for expected in use.expected
        for line in _expected(dataset, expected)
    ]
    if counts:
        parts.append("\n".join(["What the paper counts", *counts]))
    if recipe.flaws:
        flaws = (_wrapped(f"- {flaw}") for flaw in recipe.flaws)
        parts.append("\n".join(["What is known to be wrong", *flaws]))
    parts.append("\n".join(["Commands", *_commands(recipe, called or recipe.name)]))
    return "\n\n".join(parts)


def _wrapped(text: str, indent: int = 2, hanging: int = 2) -> str:
    # Names of options and files must stay whole, so that they can be copied.
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _citation(paper: Paper) -> str:
    venue = f", {paper.venue}" if paper.venue else ""
    return f"{paper.authors} ({paper.year}): {paper.title}{venue}."


def _data(recipe: Recipe) -> Iterable[str]:
    for dataset, use in recipe.datasets.items():
        layouts = f" (layout {' or '.join(use.layouts)})" if use.layouts else ""
        yield _wrapped(f"{dataset}{layouts}: {use.data.strip()}")


def _options(
    recipe: Recipe, title: str, part: str, common: Values, leak_free: Values
) -> Iterable[str]:
    """Yield the blocks of options of building or training: common ones, then by dataset."""
    blocks = [(title, part, common), (f"{title} with --leak-free", "leak_free", leak_free)]
    for dataset, use in recipe.datasets.items():
        place = f"datasets.{dataset}"
        own = use.build if part == "build" else use.train
        blocks.append((f"{title}, {dataset}", f"{place}.{part}", own))
        if part == "build":
            blocks.append(
                (f"{title}, {dataset}, with --leak-free", f"{place}.leak_free", use.leak_free)
            )
    for heading, place, values in blocks:
        if values:
            yield "\n".join([heading, *_values(recipe, place, values, 2)])


def _values(recipe: Recipe, place: str, values: Values, indent: int) -> Iterable[str]:
    for name, value in values.items():
        here = f"{place}.{name}"
        nested = _nested(name, value)
        shown = "" if nested else _shown(value)
        start = f"{' ' * indent}{name}".ljust(_VALUE - 1) + " "
        yield (
            textwrap.fill(
                shown,
                WIDTH,
                initial_indent=start,
                subsequent_indent=" " * _VALUE,
                break_long_words=False,
                break_on_hyphens=False,
            ).rstrip()
            or start.rstrip()
        )
        yield from _reasons(recipe, here, indent)
        for entry, fields in nested:
            if isinstance(fields, Mapping):
                yield f"{' ' * (indent + 2)}{entry}"
                yield from _values(recipe, f"{here}.{entry}", fields, indent + 4)
            else:
                yield from _values(recipe, here, {entry: fields}, indent + 2)


def _nested(name: str, value: Any) -> Sequence[tuple[str, Any]]:
    """Return what is shown line by line below an option: a model's options, and operations.

    A recipe of a user is shown before anything checks its options: what is neither of the two is
    shown as it stands.
    """
    if name == "model_options" and isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple) and all(
        isinstance(entry, Mapping) and isinstance(entry.get("op"), str) for entry in value
    ):
        return [
            (entry["op"], {field: each for field, each in entry.items() if field != "op"})
            for entry in value
        ]
    return []


def _reasons(recipe: Recipe, place: str, indent: int) -> Iterable[str]:
    for word, reasons in (("assumed", recipe.assumed), ("not as in the paper", recipe.departures)):
        if place in reasons:
            yield _wrapped(f"{word}: {reasons[place]}", indent + 4)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], ()):
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        joint = " to " if len(value) == 2 else ", "
        return joint.join(map(_shown, value))
    return str(value).replace(",", ", ")


def _claims(claims: Sequence[Claim]) -> Iterable[str]:
    for claim in claims:
        if claim.accuracy is not None:
            of = f", {claim.images:,} images" if claim.images else ""
            yield _wrapped(
                f"{claim.dataset}: {claim.accuracy:.2f} % (split: {claim.split}{of}); {claim.where}"
            )
            if claim.images and claim.correct is None:
                yield _wrapped(
                    f"No number of right answers among {claim.images:,} gives this accuracy.", 6
                )
            elif claim.images:
                yield _wrapped(f"{claim.correct:,} of {claim.images:,} would be right.", 6)
        if claim.parameters is not None:
            yield _wrapped(f"{claim.parameters:g} million parameters; {claim.where}")
        if claim.problem:
            yield _wrapped(f"But: {claim.problem.strip()}", 6)


def _expected(dataset: str, expected: Expected) -> Iterable[str]:
    parts = [f"{part} {rows:,}" for part, rows in expected.splits.items()]
    parts += [f"{expected.total:,} in all"] if expected.total is not None else []
    of = f", {expected.split}" if expected.split else ""
    said = f": {', '.join(parts)}" if parts else ""
    yield _wrapped(f"{dataset}, {expected.where}{of}{said}")
    columns = {
        "before": {name: f"{rows:,}" for name, rows in expected.original.items()},
        "images": {name: f"{rows:,}" for name, rows in expected.counts.items()},
        "weight": {name: f"{each:.4f}" for name, each in expected.weights.items()},
        "share": {name: f"{each:.4f}" for name, each in expected.normalized_weights.items()},
    }
    columns = {title: cells for title, cells in columns.items() if cells}
    if columns:
        classes = list(dict.fromkeys(name for cells in columns.values() for name in cells))
        yield " " * 6 + "class".ljust(12) + "".join(f"{title:>10}" for title in columns)
        for name in classes:
            cells = "".join(f"{each.get(name, '–'):>10}" for each in columns.values())
            yield " " * 6 + name.ljust(12) + cells
    if not expected.attainable:
        yield _wrapped(f"Can't be had: {expected.why.strip()}", 6)


def _commands(recipe: Recipe, called: str) -> Iterable[str]:
    for dataset in recipe.datasets:
        out = f"out/{recipe.name}" if len(recipe.datasets) == 1 else f"out/{recipe.name}-{dataset}"
        build = f"  ferdata build {dataset} --data DIR --recipe {called}"
        where = f" --out {out}"
        yield build + where if len(build + where) <= WIDTH else f"{build} \\\n     {where}"
        yield f"  ferdata train {out} --recipe {called}"
    yield _wrapped(
        "Add --leak-free to the build for the same without what leaks; put --demo in place of "
        "--data DIR for a synthetic copy."
    )
    if "train.pretrained" in recipe.departures:
        yield _wrapped(
            "Add --pretrained to the training to start from ImageNet weights, as the paper does."
        )
