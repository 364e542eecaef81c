"""Dataset info: license, codes, counts and layouts of a dataset, from a YAML file.

Those of ferdata's own datasets are `manifests/datasets/NAME.yaml`, with sources in comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.core.labels import BASIC7, BASIC8, CANONICAL, LabelSpace
from ferdata.core.registry import Registry
from ferdata.core.resources import manifests_folder
from ferdata.core.yaml_files import read_model

Text = Annotated[str, Field(min_length=1)]
Counts = dict[str, int]

Redistribution = Literal["forbidden", "allowed", "not stated"]
"""Whether images may be passed on, as the terms of a dataset say."""

PUBLISHED = "published"
"""The `counts_status` of counts that a real copy must have."""

UNSPLIT = "unsplit"
"""Stands for the split of rows without an official one."""

ALL_CLASSES = "all classes"
"""Stands for the class where only the total of a split is known."""

DECLARATIONS = "declarations"
"""The folder of `manifests` with ready declarations."""


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
    """One arrangement of a dataset's files on disk.

    Attributes:
        name: The layout's name, as `detect` reports it and the manifest stores it.
        framing: `crop` if the images are face crops, else `photograph`.
        evidence: What a copy is recognized by.
        tree: The folders and files, drawn as text.
        counts: Images by split and class where they differ from the dataset's; `{}` where copies
            of this layout differ among themselves.
    """

    name: Text
    framing: Annotated[str, Field(pattern="^(crop|photograph)$")]
    evidence: Text
    tree: Text
    counts: dict[str, Counts] | None = None


class DatasetInfo(_Info):
    """Everything that is known about a dataset without having it.

    Attributes:
        name: Its name on the command line, and the first part of every sample id.
        title: Its full name.
        description: One or two sentences.
        license: The terms, in a line.
        usage: What is allowed and what is not, in a line.
        redistribution: Whether the terms allow passing images on.
        access: How to get it.
        citation: What to cite.
        source: Where this information comes from.
        label_space: Name of the label space of its labels.
        codes: The dataset's own label codes and their class names, in the authors' order.
        soft_labels: Fractions over the canonical names, for classes that aren't canonical.
        counts_status: `published`, or what else `counts` are; only published ones are compared.
        counts: Images by split and class name; `UNSPLIT` where there is no split.
        totals: Images by split, where counts by class are not published.
        class_totals: Images by class over all splits, where nothing better is published.
        class_totals_status: How reliable `class_totals` are.
        image: Size and kind of the images of each source.
        digits: Digits in the file names of each split.
        choices: What can be chosen when the dataset is read, for instance which poses: the name of
            each choice (also its command-line option), its values and their meaning, the default
            first.
        fingerprints: Further counts by class that identify a copy, for instance a well-known
            re-made one, under a name for messages.
        expected_rejects: Kinds of rejects that the dataset's own rules demand, such as AffectNet's
            images without a face; they don't count against `--max-reject-rate`.
        attributes: The words of each attribute's codes.
        layouts: The layouts in which copies are found.
        caveats: What users of the dataset should know.
    """

    name: Text
    title: Text
    description: Text
    license: Text
    usage: Text
    redistribution: Redistribution = "not stated"
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
    caveats: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> DatasetInfo:
        names = set(self.codes.values())
        for split, counts in self.counts.items():
            if set(counts) != names:
                raise ValueError(f"counts of {split!r} are not over the names in codes")
        if taken := {"source", "codes"} & set(self.choices):
            raise ValueError(f"choices has {sorted(taken)[0]!r}, which every dataset offers")
        if not all(self.choices.values()):
            raise ValueError("a choice has no values")
        if self.soft_labels and set(self.soft_labels) != names:
            raise ValueError("soft_labels are not over the names in codes")
        unknown = {name for each in self.soft_labels.values() for name in each} - set(CANONICAL)
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
        """Return the published counts of a complete copy, by split and class.

        Args:
            layout: The layout's name.

        Returns:
            Totals stand under `ALL_CLASSES` where only they are published; empty if nothing is.
        """
        own = self.layout(layout).counts
        if own is not None:
            return own
        if self.counts_status == PUBLISHED:
            return self.counts
        return {split: {ALL_CLASSES: total} for split, total in self.totals.items()}

    @property
    def total(self) -> int:
        """Images of a complete copy."""
        if self.totals:
            return sum(self.totals.values())
        return sum(sum(counts.values()) for counts in self.counts.values())

    def choose(self, wanted: Mapping[str, str | None]) -> dict[str, str]:
        """Return a value for each choice: the wanted one, else the default.

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
            if choice == "codes":  # any copy may have codes; `code_orders` knows their orders
                chosen[choice] = value
                continue
            if choice not in self.choices:
                offered = ", ".join(map(option_name, self.choices)) or "none"
                raise OptionError(
                    f"{option_name(choice)} {value}: {self.name} has no such option; its options: "
                    f"{offered}. `ferdata datasets {self.name}` explains them."
                )
            if value not in self.choices[choice]:
                raise UnknownNameError(
                    f"{option_name(choice)} of {self.name}", value, self.choices[choice]
                )
            chosen[choice] = value
        return chosen

    @property
    def images_by_class(self) -> dict[str, int]:
        """The published number of images of each class, over all splits."""
        total = dict.fromkeys(self.codes.values(), 0)
        for by_class in self.counts.values():
            for label, rows in by_class.items():
                total[label] += rows
        return total

    @property
    def code_of(self) -> dict[str, int]:
        """The dataset's own code of each class name."""
        return {label: code for code, label in self.codes.items()}

    @property
    def code_range(self) -> str:
        """The label codes for a message, for instance `"1–7"`."""
        return f"{min(self.codes)}–{max(self.codes)}"

    def soft_label(self, label: str) -> tuple[float, ...] | None:
        """Return a class's fractions over `CANONICAL`, or None if the class is canonical."""
        fractions = self.soft_labels.get(label)
        return tuple(fractions.get(name, 0.0) for name in CANONICAL) if fractions else None

    def layout(self, name: str) -> LayoutInfo:
        """Return one layout.

        Raises:
            UnknownNameError: The dataset has no such layout.
        """
        for layout in self.layouts:
            if layout.name == name:
                return layout
        raise UnknownNameError(f"layout of {self.name}", name, (each.name for each in self.layouts))


_LABEL_RULE = "label_rule"
"""The choice among the ways to make a label of votes, to which plugins can add."""


def option_name(choice: str) -> str:
    """Return the option of a choice on the command line, for instance `--label-rule`."""
    return f"--{choice.replace('_', '-')}"


def shipped_file(name: str) -> Path:
    """Return the YAML file of a dataset that ships with ferdata."""
    return manifests_folder() / "datasets" / f"{name}.yaml"


def load_info(path: Path, name: str) -> DatasetInfo:
    """Read the YAML file of a dataset's info; label rules of plugins are among its choices.

    Args:
        path: The file.
        name: The dataset's name, which must be the one in the file.

    Raises:
        ManifestError: The file is broken, or of another dataset.
    """
    found = _read_info(path)
    if found.name != name:
        raise ManifestError(f"{path}: says name: {found.name}; expected {name}")
    rules = found.choices.get(_LABEL_RULE, {})
    plugins = Registry("label_rule", {}).names() if rules else ()
    if not plugins:
        return found
    rules = rules | {rule: "added by a plugin" for rule in plugins if rule not in rules}
    return found.model_copy(update={"choices": {**found.choices, _LABEL_RULE: rules}})


@cache
def _read_info(path: Path) -> DatasetInfo:
    return read_model(path, "dataset info", DatasetInfo)
