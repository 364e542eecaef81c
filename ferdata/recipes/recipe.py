"""A recipe: a paper's protocol as data, from the images it used to the last epoch.

What it says: which datasets and what is read of each, how images are prepared, split and augmented,
what is trained and how, what the paper claims, and what is known to be wrong with it. Where the
paper is silent, `assumed` gives the reason for the value that stands in the recipe; where it is not
followed, `departures` does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ferdata.core.errors import OptionError
from ferdata.core.yaml_files import load_declared, shipped_names

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
    """A number that the paper reports; of those about one dataset, the first is the headline.

    Attributes:
        dataset: The dataset or mix, by its name in ferdata; empty where the claim is about the
            model.
        split: The split that the number is of, as far as the paper lets one tell: `test`, `train`,
            or words.
        accuracy: The accuracy in percent, as printed, with two decimals; None where the claim is
            about the model.
        images: Images that the accuracy would be of, as far as the paper lets one tell.
        parameters: Parameters in millions, as printed.
        where: Table or section.
        problem: What is wrong with it; empty if nothing is known to be.
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
        """How many of the images would have been right; None if no number gives the accuracy.

        An accuracy is k / n of the images. It counts as reached where 100 · k / n, rounded or cut
        to two decimals, is what the paper prints.
        """
        if self.accuracy is None or self.images is None:
            return None
        printed = round(100 * self.accuracy)
        nearest = int(self.accuracy / 100 * self.images)
        for right in (nearest, nearest + 1):
            hundredths = Fraction(10_000 * right, self.images)
            if printed in (math.floor(hundredths), math.floor(hundredths + Fraction(1, 2))):
                return right
        return None


class Expected(_Part):
    """Counts that the paper prints, to be held against what is built.

    Attributes:
        where: Table or section.
        split: The split that `counts`, `original` and the weights are of; empty for all splits.
        counts: Images by class, augmented copies included. A class that is not named has none.
        original: Images by class before augmentation, of all classes too.
        splits: Images by split. Where the paper tells of no validation, train holds what ferdata
            takes for it.
        total: Images over all splits.
        weights: Weight of each class in the loss, N / n_c of `counts`.
        normalized_weights: The same over their sum.
        attainable: Whether a full copy of the dataset can give these numbers.
        why: Why not.
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
    def _reasoned(self) -> Expected:
        if not self.attainable and not self.why:
            raise ValueError("counts that are not attainable need a reason (why)")
        return self


class Use(_Part):
    """What a recipe does with one dataset or mix.

    Attributes:
        data: What the data would have to be, and where the paper got it.
        layouts: Layouts of the dataset that will do, the closest to the paper's first; empty for a
            mix.
        build: Build options for this dataset, over those of the recipe.
        leak_free: Build options that take the place of these under `--leak-free`.
        train: Training options for this dataset, over those of the recipe.
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
        title: For a person.
        summary: One or two sentences.
        paper: The publication.
        build: Build options for every dataset, named as in `BuildOptions`.
        leak_free: Build options that take the place of these under `--leak-free`.
        train: Training options for every dataset, named as in `TrainOptions`.
        datasets: What is done with each dataset or mix, by name; the first is the main one.
        assumed: Reason for each value that the paper does not give, by its place in this file,
            for instance `train.weight_decay`; of an operation in a list,
            `build.operations.rotation`.
        departures: Reason for each value that is other than the paper's, by its place.
        claims: What the paper reports.
        flaws: What is known to be wrong with the protocol or its description.
    """

    name: Text
    title: Text
    summary: Text
    paper: Paper
    build: dict[str, Any] = {}
    leak_free: dict[str, Any] = {}
    train: dict[str, Any] = {}
    datasets: dict[str, Use] = Field(min_length=1)
    assumed: dict[str, Text] = {}
    departures: dict[str, Text] = {}
    claims: tuple[Claim, ...] = ()
    flaws: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _about_itself(self) -> Recipe:
        for part, reasons in (("assumed", self.assumed), ("departures", self.departures)):
            for place in reasons:
                if not self.has(place):
                    raise ValueError(f"{part}: there is no {place} in this recipe")
        for claim in self.claims:
            if claim.dataset and claim.dataset not in self.datasets:
                raise ValueError(f"claims: {claim.dataset!r} is none of its datasets")
        return self

    def has(self, place: str) -> bool:
        """Say whether there is a value at a place, for instance `train.weight_decay`.

        Of several operations of one name, any may have it.
        """
        parts = {
            "build": self.build,
            "leak_free": self.leak_free,
            "train": self.train,
            "datasets": {name: use.model_dump() for name, use in self.datasets.items()},
        }
        return _leads_to_value(parts, place.split("."))

    def use(self, dataset: str) -> Use:
        """Return what is done with a dataset or mix.

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
            leak_free: Put right what leaks, instead of following the paper.
        """
        use = self.use(dataset)
        merged = {**self.build, **use.build}
        return {**merged, **self.leak_free, **use.leak_free} if leak_free else merged

    def train_options(self, dataset: str) -> dict[str, Any]:
        """Return the training options for a dataset, as plain values of `TrainOptions`."""
        return {**self.train, **self.use(dataset).train}


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that ship with the package, sorted."""
    return shipped_names(_FOLDER)


def load_recipe(name: str) -> Recipe:
    """Read a recipe.

    Args:
        name: The name of one that ships with the package, or the path of a YAML file.

    Raises:
        UnknownNameError: There is no such recipe.
        ManifestError: The file can't be read, or is no recipe; says what is wrong with it.
    """
    return load_declared("recipe", _FOLDER, name, Recipe)


def _leads_to_value(node: Any, steps: Sequence[str]) -> bool:
    if not steps:
        return True
    step, *rest = steps
    if isinstance(node, list | tuple):  # of operations; what else stands in it is for the build
        same = (entry for entry in node if isinstance(entry, dict) and entry.get("op") == step)
        return any(_leads_to_value(entry, rest) for entry in same)
    return isinstance(node, dict) and step in node and _leads_to_value(node[step], rest)
