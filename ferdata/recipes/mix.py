"""A mix: several datasets merged into one, declared in a YAML file.

It declares the datasets, what is read of each, their split rules, the label space and how labels
are mapped to it, and build options for all images.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ferdata.core.errors import FerdataError, UnknownNameError
from ferdata.core.labels import BASIC7, BASIC8, LabelSpace
from ferdata.core.split_rules import parse_rule
from ferdata.core.yaml_files import is_file_name, load_declared, shipped_names

Text = Annotated[str, Field(min_length=1)]

DROP = "drop"
"""In place of a label: rows of this class are rejected."""

_FOLDER = "mixes"

_SPACES = {space.name: space for space in (BASIC7, BASIC8)}

_ELSEWHERE = {
    "split": "write it at each source",
    "recipe": "give it to the build: --recipe NAME",
    "leak_free": "give it to the build: --leak-free",
    "sound": "give it to the build: --leak-free",  # its name before
}
"""Build options that a mix can't have, and what to do instead."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        """Refuse an unknown key with an error that names the closest one."""
        for key in values if isinstance(values, dict) else ():
            if key not in cls.model_fields:
                raise ValueError(str(UnknownNameError("key", str(key), cls.model_fields)))
        return values


class MixSource(_Part):
    """One dataset of a mix.

    Attributes:
        choices: What to read of it, for instance `{poses: straight}`.
        labels: For each of its labels that is not in the mix's label space: a name that is, or
            `drop`.
        split: Its split rule.
    """

    choices: dict[str, str] = {}
    labels: dict[str, str] = {}
    split: str = "auto"


class Mix(_Part):
    """Several datasets merged into one.

    Attributes:
        name: Name of the mix, for messages and the build's record.
        title: Title for people.
        description: One or two sentences.
        label_space: `basic7`, `basic8`, or a list of names.
        lacking: What to do with a class that some sources lack: `keep` it, `drop` its rows (they
            are rejected), or stop with an `error`.
        sources: The datasets, by name.
        build: Build options; options given to the build itself take precedence.
        notes: Caveats.
    """

    name: Text
    title: Text
    description: str = ""
    label_space: str | list[Text]
    lacking: Literal["keep", "drop", "error"] = "keep"
    sources: dict[str, MixSource] = Field(min_length=1)
    build: dict[str, Any] = {}
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Mix:
        if isinstance(self.label_space, str) and self.label_space not in _SPACES:
            raise ValueError(
                f"label_space {self.label_space!r}: expected {', '.join(_SPACES)}, or a list"
            )
        for key, instead in _ELSEWHERE.items():
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
        ManifestError: The file can't be read or is not a valid mix; says what is wrong with it.
    """
    return load_declared("mix", _FOLDER, name, Mix)
