"""Recipes as text for a terminal: protocols, claims, and known problems."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ferdata.recipes.recipe import Claim, Expected, Paper, Recipe

WIDTH = 96
"""Maximum line length, unless a single word is longer."""

_VALUE_COLUMN = 26

Values = Mapping[str, Any]


def overview(recipes: Sequence[Recipe]) -> str:
    """Return a table of recipes: one line per dataset, with the claimed accuracy and its split."""
    rows = [("recipe", "model", "dataset", "claimed accuracy", "split")]
    for recipe in recipes:
        model = recipe.title.partition(":")[0]
        for number, dataset in enumerate(recipe.datasets):
            headline = next((each for each in recipe.claims if each.dataset == dataset), None)
            claim = (f"{headline.accuracy:.2f} %", headline.split) if headline else ("none", "")
            rows.append(("" if number else recipe.name, "" if number else model, dataset, *claim))
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(
        [
            *lines,
            "",
            "The accuracies are the papers' claims. Protocol and known problems of each:",
            "ferdata recipes NAME",
        ]
    )


def describe(recipe: Recipe, called: str | None = None) -> str:
    """Return the whole content of a recipe as text.

    Args:
        recipe: The recipe.
        called: The value of `--recipe` if it is not the recipe's name: the path of its file.
    """
    parts = [
        "\n".join([f"{recipe.name}: {recipe.title}", _wrapped(recipe.summary)]),
        "\n".join(["Paper", _wrapped(_citation(recipe.paper))]),
        "\n".join(["Data", *_data(recipe)]),
        *_options(recipe, "Build", "build", recipe.build, recipe.leak_free),
        *_options(recipe, "Training", "train", recipe.train, {}),
    ]
    if recipe.claims:
        parts.append("\n".join(["Claims of the paper", *_claims(recipe.claims)]))
    counts = [
        line
        for dataset, protocol in recipe.datasets.items()
        for expected in protocol.expected
        for line in _expected(dataset, expected)
    ]
    if counts:
        parts.append("\n".join(["Counts in the paper", *counts]))
    if recipe.flaws:
        flaws = (_wrapped(f"- {flaw}") for flaw in recipe.flaws)
        parts.append("\n".join(["Known problems", *flaws]))
    parts.append("\n".join(["Commands", *_commands(recipe, called or recipe.name)]))
    return "\n\n".join(parts)


def _wrapped(text: str, indent: int = 2, hanging: int = 2) -> str:
    # Names of options and files are not broken, so that they can be copied.
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
    for dataset, protocol in recipe.datasets.items():
        layouts = f" (layout {' or '.join(protocol.layouts)})" if protocol.layouts else ""
        yield _wrapped(f"{dataset}{layouts}: {protocol.data.strip()}")


def _options(
    recipe: Recipe, title: str, part: str, common: Values, leak_free: Values
) -> Iterable[str]:
    """Yield the blocks of build or training options: common ones, then by dataset."""
    blocks = [(title, part, common), (f"{title} with --leak-free", "leak_free", leak_free)]
    for dataset, protocol in recipe.datasets.items():
        path = f"datasets.{dataset}"
        own = protocol.build if part == "build" else protocol.train
        blocks.append((f"{title}, {dataset}", f"{path}.{part}", own))
        if part == "build":
            blocks.append(
                (f"{title}, {dataset}, with --leak-free", f"{path}.leak_free", protocol.leak_free)
            )
    for heading, path, values in blocks:
        if values:
            yield "\n".join([heading, *_values(recipe, path, values, 2)])


def _values(recipe: Recipe, path: str, values: Values, indent: int) -> Iterable[str]:
    for name, value in values.items():
        here = f"{path}.{name}"
        nested = _nested(name, value)
        shown = "" if nested else _shown(value)
        start = f"{' ' * indent}{name}".ljust(_VALUE_COLUMN - 1) + " "
        yield (
            textwrap.fill(
                shown,
                WIDTH,
                initial_indent=start,
                subsequent_indent=" " * _VALUE_COLUMN,
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
    """Return the lines to show below an option: a model's options, or operations.

    The options of a user's recipe are not checked at this point; other values are shown as they
    are.
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


def _reasons(recipe: Recipe, path: str, indent: int) -> Iterable[str]:
    for word, reasons in (
        ("assumed", recipe.assumed),
        ("differs from the paper", recipe.departures),
    ):
        if path in reasons:
            yield _wrapped(f"{word}: {reasons[path]}", indent + 4)


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
                    f"No number of correct predictions out of {claim.images:,} gives this "
                    "accuracy.",
                    6,
                )
            elif claim.images:
                yield _wrapped(f"That is {claim.correct:,} of {claim.images:,} correct.", 6)
        if claim.parameters is not None:
            yield _wrapped(f"{claim.parameters:g} million parameters; {claim.where}")
        if claim.problem:
            yield _wrapped(f"Problem: {claim.problem.strip()}", 6)


def _expected(dataset: str, expected: Expected) -> Iterable[str]:
    parts = [f"{part} {rows:,}" for part, rows in expected.splits.items()]
    parts += [f"total {expected.total:,}"] if expected.total is not None else []
    of = f", {expected.split}" if expected.split else ""
    numbers = f": {', '.join(parts)}" if parts else ""
    yield _wrapped(f"{dataset}, {expected.where}{of}{numbers}")
    columns = {
        "before": {name: f"{rows:,}" for name, rows in expected.original.items()},
        "images": {name: f"{rows:,}" for name, rows in expected.counts.items()},
        "weight": {name: f"{each:.4f}" for name, each in expected.weights.items()},
        "normalized": {name: f"{each:.4f}" for name, each in expected.normalized_weights.items()},
    }
    columns = {title: cells for title, cells in columns.items() if cells}
    if columns:
        classes = list(dict.fromkeys(name for cells in columns.values() for name in cells))
        yield " " * 6 + "class".ljust(12) + "".join(f"{title:>12}" for title in columns)
        for name in classes:
            cells = "".join(f"{each.get(name, '–'):>12}" for each in columns.values())
            yield " " * 6 + name.ljust(12) + cells
    if not expected.attainable:
        yield _wrapped(f"Not attainable: {expected.why.strip()}", 6)


def _commands(recipe: Recipe, called: str) -> Iterable[str]:
    for dataset in recipe.datasets:
        out = f"out/{recipe.name}" if len(recipe.datasets) == 1 else f"out/{recipe.name}-{dataset}"
        build = f"  ferdata build {dataset} --data DIR --recipe {called}"
        where = f" --out {out}"
        yield build + where if len(build + where) <= WIDTH else f"{build} \\\n     {where}"
        yield f"  ferdata train {out} --recipe {called}"
    yield _wrapped(
        "Add --leak-free to ferdata build to follow the recipe without its leaks; replace --data "
        "DIR by --demo for a synthetic copy."
    )
    if "train.pretrained" in recipe.departures:
        yield _wrapped(
            "Add --pretrained to ferdata train to start from ImageNet weights, as in the paper."
        )
