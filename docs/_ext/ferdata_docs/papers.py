"""A page per paper, from its recipe: protocol, claims, flaws, and what was measured here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ferdata.models import create_model
from ferdata.recipes import load_recipe, recipe_names
from ferdata.recipes.recipe import Claim, Expected, Recipe
from ferdata_docs.writing import code, fence, plain, table, toctree, write_page


def write_pages(folder: Path) -> None:
    """Write a page per recipe and the list of them."""
    recipes = [load_recipe(name) for name in recipe_names()]
    rows = [row for recipe in recipes for row in _overview(recipe)]
    write_page(
        folder / "papers" / "index.md",
        "# Papers",
        "A recipe is a paper's protocol as data: what is read, how it is split, augmented and "
        "trained. `ferdata recipes NAME` prints it, `--recipe NAME` follows it. The accuracies are "
        "the papers' claims; nothing of this table was measured here.",
        table(["paper", "dataset", "claimed accuracy", "split"], rows, "llrl"),
        toctree(recipe.name for recipe in recipes),
    )
    for recipe in recipes:
        write_page(folder / "papers" / f"{recipe.name}.md", *_recipe(recipe))


def _overview(recipe: Recipe) -> Iterator[list[str]]:
    for number, dataset in enumerate(recipe.datasets):
        claim = next((each for each in recipe.claims if each.dataset == dataset), None)
        name = "" if number else f"[{recipe.name}]({recipe.name}.md)"
        claimed = [f"{claim.accuracy:.2f} %", plain(claim.split)] if claim else ["none", ""]
        yield [name, code(dataset), *claimed]


def _recipe(recipe: Recipe) -> Iterator[str]:
    paper = recipe.paper
    venue = f", {plain(paper.venue)}" if paper.venue else ""
    yield f"# {recipe.name}: {plain(recipe.title)}"
    yield plain(recipe.summary)
    yield f"{plain(paper.authors)} ({paper.year}): *{plain(paper.title)}*{venue}."
    if recipe.flaws:
        yield "## Known problems"
        yield "\n".join(f"- {plain(flaw)}" for flaw in recipe.flaws)
    yield "## Claims of the paper"
    yield from _claims(recipe)
    yield "## Measured here"
    yield from _measured(recipe)
    yield "## Data"
    yield "\n".join(_data(recipe))
    yield "## Protocol"
    yield from _protocol(recipe)
    if any(protocol.expected for protocol in recipe.datasets.values()):
        yield "## Counts in the paper"
        yield "A build that follows the recipe compares its own counts with these."
        for dataset, protocol in recipe.datasets.items():
            for expected in protocol.expected:
                yield from _expected(dataset, expected)
    yield "## Commands"
    yield from _commands(recipe)


def _claims(recipe: Recipe) -> Iterator[str]:
    rows = [_claim(each) for each in recipe.claims]
    yield table(["of", "claim", "where", "what is wrong with it"], rows)


def _claim(claim: Claim) -> list[str]:
    if claim.accuracy is None:
        size = f"{claim.parameters:g} million parameters"
        return ["the model", size, plain(claim.where), plain(claim.problem)]
    told, problem = f"{claim.accuracy:.2f} %", plain(claim.problem)
    if claim.images:
        correct = f"{claim.correct:,}" if claim.correct else "no number"
        told += f": {correct} of {claim.images:,}"
        if claim.correct is None:
            none = f"No number of correct predictions out of {claim.images:,} gives this accuracy."
            problem = f"{none} {problem}"
    return [f"{code(claim.dataset)}, {plain(claim.split)}", told, plain(claim.where), problem]


def _measured(recipe: Recipe) -> Iterator[str]:
    options = {**recipe.train, **next(iter(recipe.datasets.values())).train}
    model = create_model(
        options["model"], num_classes=7, pretrained=False, **options.get("model_options", {})
    )
    count = sum(each.numel() for each in model.parameters())
    claimed = next((each.parameters for each in recipe.claims if each.parameters), None)
    beside = f"; the paper says {claimed:g} million" if claimed else ""
    yield (
        f"{count:,} parameters with seven classes, counted when this page was made{beside}. "
        "Accuracies on the licensed datasets were not measured: `ferdata compare RUN` shows yours "
        "beside the claims above."
    )


def _data(recipe: Recipe) -> Iterator[str]:
    for dataset, protocol in recipe.datasets.items():
        layouts = f" Layout: {', '.join(map(code, protocol.layouts))}." if protocol.layouts else ""
        yield f"- {code(dataset)}: {plain(protocol.data)}{layouts}"


def _protocol(recipe: Recipe) -> Iterator[str]:
    yield (
        "Where the paper is silent or the recipe departs from it, the reason stands beside "
        "the value."
    )
    blocks = [
        ("Build", "build", recipe.build),
        ("Build with --leak-free", "leak_free", recipe.leak_free),
        ("Training", "train", recipe.train),
    ]
    for dataset, protocol in recipe.datasets.items():
        path = f"datasets.{dataset}"
        blocks += [
            (f"Build of {dataset}", f"{path}.build", protocol.build),
            (f"Build of {dataset} with --leak-free", f"{path}.leak_free", protocol.leak_free),
            (f"Training on {dataset}", f"{path}.train", protocol.train),
        ]
    for heading, path, values in blocks:
        if values:
            yield f"### {plain(heading)}"
            yield table(["option", "value", "why"], _values(recipe, path, values))


def _values(recipe: Recipe, path: str, values: Mapping[str, Any]) -> Iterator[list[str]]:
    for name, value in values.items():
        yield [code(name), code(_shown(value)), " ".join(_reasons(recipe, f"{path}.{name}"))]


def _reasons(recipe: Recipe, path: str) -> Iterator[str]:
    """Yield the reasons for a value, and for the parts of one that has parts."""
    kinds = {"Assumed": recipe.assumed, "Differs from the paper": recipe.departures}
    for word, reasons in kinds.items():
        for place, reason in reasons.items():
            if place == path:
                yield f"{word}: {plain(reason)}"
            elif place.startswith(f"{path}."):
                yield f"{word} ({code(place.removeprefix(f'{path}.'))}): {plain(reason)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_shown(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value).replace(",", ", ")


def _expected(dataset: str, expected: Expected) -> Iterator[str]:
    numbers = [f"{split} {rows:,}" for split, rows in expected.splits.items()]
    numbers += [f"total {expected.total:,}"] if expected.total is not None else []
    of = f", {expected.split}" if expected.split else ""
    yield f"{code(dataset)}, {plain(expected.where)}{of}" + (
        f": {', '.join(numbers)}" if numbers else ""
    )
    columns = {
        "before augmentation": {name: f"{rows:,}" for name, rows in expected.original.items()},
        "images": {name: f"{rows:,}" for name, rows in expected.counts.items()},
        "weight": {name: f"{each:.4f}" for name, each in expected.weights.items()},
        "normalized": {name: f"{each:.4f}" for name, each in expected.normalized_weights.items()},
    }
    columns = {title: cells for title, cells in columns.items() if cells}
    if columns:
        names = list(dict.fromkeys(name for cells in columns.values() for name in cells))
        rows = [[name, *(cells.get(name, "–") for cells in columns.values())] for name in names]
        yield table(["class", *columns], rows, "l" + "r" * len(columns))
    if not expected.attainable:
        yield f"Not attainable: {plain(expected.why)}"


def _commands(recipe: Recipe) -> Iterator[str]:
    lines = []
    for dataset in recipe.datasets:
        out = f"out/{recipe.name}" if len(recipe.datasets) == 1 else f"out/{recipe.name}-{dataset}"
        lines += [
            f"ferdata build {dataset} --demo --recipe {recipe.name} --out {out}",
            f"ferdata train {out} --recipe {recipe.name}",
        ]
    yield fence("sh", "\n".join(lines))
    yield (
        "`--data DIR` instead of `--demo` builds from a real copy, `--leak-free` without the leaks "
        "of the paper's protocol."
    )
