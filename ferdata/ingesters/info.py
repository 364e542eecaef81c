"""What is known about each dataset: license, codes, counts and layouts, from YAML files.

The facts are data, not code: `manifests/datasets/NAME.yaml`, each with its sources in comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.core.labels import BASIC7, BASIC8, CANONICAL, LabelSpace
from ferdata.core.resources import manifests_folder

Text = Annotated[str, Field(min_length=1)]
Counts = dict[str, int]

PUBLISHED = "published"
"""The `counts_status` of counts that a real copy must have."""

UNSPLIT = "unsplit"
"""Stands for the split of rows to which the authors give none."""

ALL_CLASSES = "all classes"
"""Stands for the class where only the total of a split is known."""


class _Info(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Access(_Info):
    """How a person gets the data.

    Attributes:
        url: Where to ask or download.
        steps: What to do, in order.
    """

    url: Text
    steps: tuple[Text, ...] = Field(min_length=1)


class Citation(_Info):
    """The publication to cite, as a sentence and as BibTeX."""

    text: Text
    bibtex: Text


class LayoutInfo(_Info):
    """One way in which copies of a dataset lie on disk.

    Attributes:
        name: The layout's name, as `detect` says it and the manifest stores it.
        framing: `crop` where the images are face crops, `photograph` where they are not.
        evidence: What a copy is recognized by.
        tree: The folders and files, drawn as text.
        counts: Images per split and class, where they are not those of the dataset; `{}` where
            copies of this layout differ.
    """

    name: Text
    framing: Annotated[str, Field(pattern="^(crop|photograph)$")]
    evidence: Text
    tree: Text
    counts: dict[str, Counts] | None = None


class DatasetInfo(_Info):
    """Everything that is known about one dataset without having it.

    Attributes:
        name: The name on the command line and the first part of every sample id.
        title: Its full name.
        description: One or two sentences.
        license: The terms, in a line.
        usage: What is allowed and what is not, in a line.
        access: How to get it.
        citation: What to cite.
        source: Where these facts come from.
        label_space: The name of the label space of its labels.
        codes: The dataset's own label codes and our class names, in the authors' order.
        soft_labels: Shares over the canonical names, for classes that aren't canonical.
        counts_status: `published`, or what else `counts` are; only published ones are compared.
        counts: Images per split and class, by class name; `UNSPLIT` where there is no split.
        totals: Images per split, where the counts per class are not published.
        class_totals: Images per class over all splits, where no better counts are published.
        class_totals_status: How sure `class_totals` are.
        image: Size and kind of the images of each source.
        digits: Digits in the file names of each split.
        choices: What may be read of the dataset, for instance which poses: the name of each choice
            (also its option on the command line), its values and what they mean, the default first.
        fingerprints: Further counts per class by which a copy is known, for instance of a
            well-known re-made copy, by a name for messages.
        expected_rejects: Kinds of rejects that the dataset's own rules demand, such as AffectNet's
            images without a face; they don't count against `--max-reject-rate`.
        attributes: Code to word, for each attribute that the annotation has.
        layouts: The layouts in which copies are met.
        notes: Pitfalls.
    """

    name: Text
    title: Text
    description: Text
    license: Text
    usage: Text
    access: Access
    citation: Citation
    source: Text
    label_space: Text
    codes: dict[int, Text] = Field(min_length=2)
    soft_labels: dict[str, dict[str, float]] = {}
    counts_status: Text
    counts: dict[str, Counts] = Field(min_length=1)
    totals: dict[str, int] = {}
    class_totals: Counts = {}
    class_totals_status: str = ""
    image: dict[str, Text]
    digits: dict[str, int] = {}
    choices: dict[str, dict[str, Text]] = {}
    fingerprints: dict[str, Counts] = {}
    expected_rejects: tuple[Text, ...] = ()
    attributes: dict[str, dict[int, Text]] = {}
    layouts: tuple[LayoutInfo, ...] = Field(min_length=1)
    notes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> DatasetInfo:
        names = set(self.codes.values())
        for split, counts in self.counts.items():
            if set(counts) != names:
                raise ValueError(f"counts of {split!r} are not over the names in codes")
        if "source" in self.choices:
            raise ValueError("choices has 'source', whose values are those of image")
        if not all(self.choices.values()):
            raise ValueError("a choice has no values")
        if self.soft_labels and set(self.soft_labels) != names:
            raise ValueError("soft_labels are not over the names in codes")
        unknown = {name for shares in self.soft_labels.values() for name in shares} - set(CANONICAL)
        if unknown:
            raise ValueError(f"soft_labels name {sorted(unknown)}, which are not canonical")
        return self

    @property
    def space(self) -> LabelSpace:
        """The label space of this dataset's labels."""
        for known in (BASIC7, BASIC8):
            if known.name == self.label_space:
                return known
        return LabelSpace(self.label_space, tuple(self.codes.values()))

    def expected_counts(self, layout: str) -> dict[str, Counts]:
        """Return the published counts of a whole copy, by split and class.

        Args:
            layout: The layout's name.

        Returns:
            Where only totals are published, they stand under `ALL_CLASSES`; empty where nothing is.
        """
        own = self.layout(layout).counts
        if own is not None:
            return own
        if self.counts_status == PUBLISHED:
            return self.counts
        return {split: {ALL_CLASSES: total} for split, total in self.totals.items()}

    @property
    def total(self) -> int:
        """Images of a whole copy."""
        if self.totals:
            return sum(self.totals.values())
        return sum(sum(counts.values()) for counts in self.counts.values())

    def choose(self, wanted: Mapping[str, str | None]) -> dict[str, str]:
        """Return a value for each choice: what is wanted, else the default.

        Args:
            wanted: Value by choice; None for the default.

        Raises:
            OptionError: The dataset has no such choice.
            UnknownNameError: The choice has no such value.
        """
        chosen = {choice: next(iter(values)) for choice, values in self.choices.items()}
        for choice, value in wanted.items():
            if value is None:
                continue
            if choice not in self.choices:
                has = ", ".join(map(option_name, self.choices)) or "none"
                raise OptionError(
                    f"{option_name(choice)} {value}: {self.name} leaves no such choice "
                    f"(its choices: {has}); `ferdata datasets {self.name}` explains them"
                )
            if value not in self.choices[choice]:
                raise UnknownNameError(
                    f"{option_name(choice)} of {self.name}", value, self.choices[choice]
                )
            chosen[choice] = value
        return chosen

    @property
    def code_range(self) -> str:
        """The label codes for a message, for instance `"1–7"`."""
        return f"{min(self.codes)}–{max(self.codes)}"

    def soft_label(self, label: str) -> tuple[float, ...] | None:
        """Return a class's shares over `CANONICAL`, or None where the class is canonical."""
        shares = self.soft_labels.get(label)
        return tuple(shares.get(name, 0.0) for name in CANONICAL) if shares else None

    def layout(self, name: str) -> LayoutInfo:
        """Return the facts of one layout.

        Raises:
            UnknownNameError: The dataset has no such layout.
        """
        for layout in self.layouts:
            if layout.name == name:
                return layout
        raise UnknownNameError(f"layout of {self.name}", name, (each.name for each in self.layouts))


def option_name(choice: str) -> str:
    """Return the option of a choice on the command line, for instance `--label-rule`."""
    return f"--{choice.replace('_', '-')}"


def dataset_names() -> tuple[str, ...]:
    """Return the names of all datasets with facts, sorted."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


@cache
def dataset_info(name: str) -> DatasetInfo:
    """Return the facts of a dataset.

    Args:
        name: The dataset's name, for instance `"rafdb"`.

    Raises:
        UnknownNameError: There is no such dataset.
        ManifestError: Its YAML file is broken.
    """
    if name not in dataset_names():
        raise UnknownNameError("dataset", name, dataset_names())
    path = _folder() / f"{name}.yaml"
    try:
        found = DatasetInfo.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ManifestError(f"{path}: not the facts of a dataset ({error})") from error
    if found.name != name:
        raise ManifestError(f"{path}: says name: {found.name}; expected {name}")
    return found


def _folder() -> Path:
    return manifests_folder() / "datasets"
