"""A recipe: a paper's protocol as data, from the images it used to the last epoch.

It declares the datasets, how images are prepared, split and augmented, what is trained and how,
what the paper claims, and known problems. `assumed` gives reasons for values that the paper does
not state, `departures` for values that differ from the paper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ferdata.core.errors import OptionError
from ferdata.core.yaml_files import load_named, shipped_names

Text = Annotated[str, Field(min_length=1)]

_FOLDER = "recipes"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paper(_Part):
    """The publication that a recipe follows.

    Attributes:
        title: Its title.
        authors: Its authors.
        year: Year of publication.
        venue: Journal or conference; empty where unknown.
    """

    title: Text
    authors: Text
    year: int
    venue: str = ""


class Claim(_Part):
    """A number that the paper reports; the first one about a dataset is the headline.

    Attributes:
        dataset: The dataset or mix, by its name in ferdata; empty for a claim about the model.
        split: The split, as far as it can be inferred from the paper: `test`, `train`, or text.
        accuracy: The accuracy in percent, as printed, with two decimals; None for a claim about the
            model.
        images: Number of images in the split, as far as it can be inferred from the paper.
        parameters: Parameters in millions, as printed.
        where: Table or section.
        problem: What is wrong with it; empty if no problem is known.
    """

    dataset: str = ""
    split: str = ""
    accuracy: float | None = None
    images: int | None = None
    parameters: float | None = None
    where: Text
    problem: str = ""

    @property
    def correct(self) -> int | None:
        """Number of correct predictions k that gives the accuracy; None if there is none.

        k is accepted if 100 · k / n, rounded or truncated to two decimals, is the printed value.
        """
        if self.accuracy is None or self.images is None:
            return None
        printed = round(100 * self.accuracy)
        nearest = int(self.accuracy / 100 * self.images)
        for correct in (nearest, nearest + 1):
            hundredths = Fraction(10_000 * correct, self.images)
            if printed in (math.floor(hundredths), math.floor(hundredths + Fraction(1, 2))):
                return correct
        return None


class Expected(_Part):
    """Counts that the paper prints, to be compared with those of a build.

    Attributes:
        where: Table or section.
        split: The split of `counts`, `original` and the weights; empty for all splits.
        counts: Images by class, augmented copies included. A class that is not listed has none.
        original: Images by class before augmentation; likewise of all classes.
        splits: Images by split. If the paper has no validation split, train includes the images
            that ferdata holds out for validation.
        total: Images of all splits.
        weights: Weight of each class in the loss, N / n_c of `counts`.
        normalized_weights: The weights divided by their sum.
        attainable: Whether a complete copy of the dataset can give these numbers.
        why: The reason if not.
    """

    where: Text
    split: str = ""
    counts: dict[str, int] = {}
    original: dict[str, int] = {}
    splits: dict[str, int] = {}
    total: int | None = None
    weights: dict[str, float] = {}
    normalized_weights: dict[str, float] = {}
    attainable: bool = True
    why: str = ""

    @model_validator(mode="after")
    def _has_reason(self) -> Expected:
        if not self.attainable and not self.why:
            raise ValueError("counts that are not attainable need a reason (why)")
        return self


class DatasetProtocol(_Part):
    """The protocol of a recipe for one dataset or mix.

    Attributes:
        data: The data that the paper used, and where to get it.
        layouts: Suitable layouts of the dataset, the closest to the paper's first; empty for a mix.
        build: Build options for this dataset, which override those of the recipe.
        leak_free: Build options that replace these under `--leak-free`.
        train: Training options for this dataset, which override those of the recipe.
        expected: The paper's counts.
    """

    data: Text
    layouts: tuple[Text, ...] = ()
    build: dict[str, Any] = {}
    leak_free: dict[str, Any] = {}
    train: dict[str, Any] = {}
    expected: tuple[Expected, ...] = ()


class Recipe(_Part):
    """A paper's protocol.

    Attributes:
        name: The recipe's name, that of its model.
        title: One line.
        summary: One or two sentences.
        paper: The publication.
        build: Build options for every dataset, named as in `BuildOptions`.
        leak_free: Build options that replace these under `--leak-free`.
        train: Training options for every dataset, named as in `TrainOptions`.
        datasets: The protocol for each dataset or mix, by name; the first is the main one.
        assumed: Reason for each value that the paper does not state, by its path in this file, for
            instance `train.weight_decay`; `build.operations.rotation` for an operation in a list.
        departures: Reason for each value that differs from the paper's, by its path.
        claims: What the paper reports.
        flaws: Known problems of the protocol or its description.
    """

    name: Text
    title: Text
    summary: Text
    paper: Paper
    build: dict[str, Any] = {}
    leak_free: dict[str, Any] = {}
    train: dict[str, Any] = {}
    datasets: dict[str, DatasetProtocol] = Field(min_length=1)
    assumed: dict[str, Text] = {}
    departures: dict[str, Text] = {}
    claims: tuple[Claim, ...] = ()
    flaws: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        for part, reasons in (("assumed", self.assumed), ("departures", self.departures)):
            for path in reasons:
                if not self.has(path):
                    raise ValueError(f"{part}: there is no {path} in this recipe")
        for claim in self.claims:
            if claim.dataset and claim.dataset not in self.datasets:
                raise ValueError(f"claims: {claim.dataset!r} is not one of its datasets")
        return self

    def has(self, path: str) -> bool:
        """Return whether there is a value at a path, for instance `train.weight_decay`.

        If several operations have the same name, any of them may have the value.
        """
        parts = {
            "build": self.build,
            "leak_free": self.leak_free,
            "train": self.train,
            "datasets": {name: each.model_dump() for name, each in self.datasets.items()},
        }
        return _has_value(parts, path.split("."))

    def protocol(self, dataset: str) -> DatasetProtocol:
        """Return the protocol for a dataset or mix.

        Raises:
            OptionError: The paper does not use it.
        """
        if dataset not in self.datasets:
            raise OptionError(
                f"the recipe {self.name!r} is not for {dataset!r}; its paper uses "
                f"{', '.join(self.datasets)}."
            )
        return self.datasets[dataset]

    def build_options(self, dataset: str, *, leak_free: bool = False) -> dict[str, Any]:
        """Return the build options for a dataset, as plain values of `BuildOptions`.

        Args:
            dataset: Name of a dataset or mix.
            leak_free: Correct what leaks, instead of following the paper.
        """
        protocol = self.protocol(dataset)
        merged = {**self.build, **protocol.build}
        return {**merged, **self.leak_free, **protocol.leak_free} if leak_free else merged

    def train_options(self, dataset: str) -> dict[str, Any]:
        """Return the training options for a dataset, as plain values of `TrainOptions`."""
        return {**self.train, **self.protocol(dataset).train}


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that ship with the package, sorted."""
    return shipped_names(_FOLDER)


def load_recipe(name: str) -> Recipe:
    """Read a recipe.

    Args:
        name: Name of a recipe that ships with the package, or path of a YAML file.

    Raises:
        UnknownNameError: There is no such recipe.
        ManifestError: The file can't be read or is not a valid recipe.
    """
    return load_named("recipe", _FOLDER, name, Recipe)


def _has_value(node: Any, path: Sequence[str]) -> bool:
    if not path:
        return True
    key, *rest = path
    if isinstance(node, list | tuple):  # a list of operations; the build checks them
        same = (entry for entry in node if isinstance(entry, dict) and entry.get("op") == key)
        return any(_has_value(entry, rest) for entry in same)
    return isinstance(node, dict) and key in node and _has_value(node[key], rest)
