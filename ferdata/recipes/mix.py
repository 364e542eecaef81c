"""A mix: several datasets merged into one, declared in a YAML file.

It declares the datasets, which part of each is read, their split rules, the label space and how
labels are mapped to it, and build options for all images.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ferdata.core.errors import FerdataError, ManifestError
from ferdata.core.labels import BASIC7, BASIC8, LabelSpace
from ferdata.core.split_rules import parse_rule
from ferdata.core.yaml_files import is_file_name, load_named, read_values, shipped_names

Text = Annotated[str, Field(min_length=1)]

DROP = "drop"
"""In place of a label: rows of this class are dropped."""

_FOLDER = "mixes"

_SPACES = {space.name: space for space in (BASIC7, BASIC8)}

_NOT_IN_MIXES = {
    "split": "set it for each source",
    "recipe": "use --recipe NAME when you build",
    "leak_free": "use --leak-free when you build",
    "sound": "use --leak-free when you build",  # its former name
}
"""Build options that a mix can't set, and what to do instead."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MixSource(_Part):
    """One dataset of a mix.

    Attributes:
        choices: Choices of the dataset, for instance `{poses: straight}`.
        labels: For each label that is not in the mix's label space, a label that is, or `drop`.
        split: Its split rule.
        declaration: Where the dataset is a set of one's own: its declaration, or the path of the
            file relative to the mix's.
    """

    declaration: str | dict[str, Any] | None = None
    choices: dict[str, str] = {}
    labels: dict[str, str] = {}
    split: str = "auto"

    @model_serializer(mode="wrap")
    def _without_missing(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what a known dataset has not: the record of mixes of them stays as it was."""
        values: dict[str, Any] = serialize(self)
        return {key: each for key, each in values.items() if (key, each) != ("declaration", None)}


class Mix(_Part):
    """Several datasets merged into one.

    Attributes:
        name: Name of the mix, for messages and the build's record.
        title: One line.
        description: One or two sentences.
        label_space: `basic7`, `basic8`, or a list of names.
        missing_classes: What to do with a class that some sources don't have: `keep` it, `drop` its
            rows, or stop with an `error`.
        sources: The datasets, by name.
        build: Build options; options given to the build override them.
        caveats: What users of the mix should know.

    Manifests store two fields under their former names, which are the serialization aliases.
    """

    name: Text
    title: Text
    description: str = ""
    label_space: str | list[Text]
    missing_classes: Literal["keep", "drop", "error"] = Field("keep", serialization_alias="lacking")
    sources: dict[str, MixSource] = Field(min_length=1)
    build: dict[str, Any] = {}
    caveats: tuple[str, ...] = Field((), serialization_alias="notes")

    @model_validator(mode="after")
    def _consistent(self) -> Mix:
        if isinstance(self.label_space, str) and self.label_space not in _SPACES:
            raise ValueError(
                f"label_space {self.label_space!r}: expected {', '.join(_SPACES)}, or a list"
            )
        for key, instead in _NOT_IN_MIXES.items():
            if key in self.build:
                raise ValueError(f"build.{key}: not an option of a mix; {instead}")
        names = {*self.space.names, DROP}
        for dataset, source in self.sources.items():
            if unknown := set(source.labels.values()) - names:
                raise ValueError(
                    f"labels of {dataset}: {', '.join(sorted(unknown))}: expected a name of the "
                    f"label space or {DROP!r}"
                )
            try:
                parse_rule(source.split)
            except FerdataError as error:
                raise ValueError(f"split of {dataset}: {error}") from error
        return self

    @property
    def space(self) -> LabelSpace:
        """The label space of the mix."""
        if isinstance(self.label_space, str):
            return _SPACES[self.label_space]
        return LabelSpace(self.name, tuple(self.label_space))

    @property
    def split(self) -> str:
        """The split rules of all sources as one text, for instance `kdef=subject:8:1:1,…`."""
        return ",".join(f"{name}={source.split}" for name, source in sorted(self.sources.items()))


def mix_names() -> tuple[str, ...]:
    """Return the names of the mixes that ship with the package, sorted."""
    return shipped_names(_FOLDER)


def is_mix(name: str) -> bool:
    """Return whether a name is that of a mix, or the path of a YAML file."""
    return name in mix_names() or is_file_name(name)


def load_mix(name: str) -> Mix:
    """Load a mix.

    Args:
        name: Name of a mix that ships with the package, or path of a YAML file.

    Raises:
        UnknownNameError: There is no such mix.
        ManifestError: The file can't be read or is not a valid mix.
    """
    mix = load_named("mix", _FOLDER, name, Mix)
    folder = Path(name).expanduser().parent
    sources = {dataset: _with_declaration(each, folder) for dataset, each in mix.sources.items()}
    return mix.model_copy(update={"sources": sources})


def _with_declaration(source: MixSource, folder: Path) -> MixSource:
    """Return a source with the content of its declaration, so that the mix is complete."""
    if not isinstance(source.declaration, str):
        return source
    values = read_values(folder / source.declaration)
    if not isinstance(values, dict):
        raise ManifestError(f"{folder / source.declaration}: not a declaration")
    return source.model_copy(update={"declaration": values})
