"""A mix: several datasets as one, declared in a YAML file.

What it says: which datasets, what is read of each, the label space, what becomes of classes, the
split rule of each, and what the images of all of them should look like.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ferdata.core.errors import FerdataError, ManifestError
from ferdata.core.labels import BASIC7, BASIC8, LabelSpace
from ferdata.core.split_rules import parse_rule
from ferdata.core.yaml_files import is_file_name, load_declared, shipped_names

Text = Annotated[str, Field(min_length=1)]

DROP = "drop"
"""In place of a label: rows of this class are left behind, as rejects."""

_FOLDER = "mixes"

_SPACES = {space.name: space for space in (BASIC7, BASIC8)}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MixSource(_Part):
    """One dataset of a mix.

    Attributes:
        choices: What to read of it, for instance `{poses: straight}`.
        labels: A name of the mix's label space, or `drop`, for each of its labels that the label
            space does not have under the same name.
        split: Its split rule.
    """

    choices: dict[str, str] = {}
    labels: dict[str, str] = {}
    split: str = "auto"


class Mix(_Part):
    """Several datasets as one.

    Attributes:
        name: The mix's name; part of messages and of the build's record.
        title: For a person.
        description: One or two sentences.
        label_space: `basic7`, `basic8`, or a list of names.
        lacking: What becomes of a class that not every source has: `keep` it from those that do,
            `drop` its rows as rejects, or stop with an `error`.
        sources: The datasets, by name.
        build: Build options of the mix; what is given to the build itself comes first.
        notes: What to mind.
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
    def _sensible(self) -> Mix:
        if isinstance(self.label_space, str) and self.label_space not in _SPACES:
            raise ValueError(
                f"label_space {self.label_space!r}: expected {', '.join(_SPACES)} or a list"
            )
        if "split" in self.build:
            raise ValueError("build has 'split', which belongs to each source")
        for key in ("recipe", "leak_free"):
            if key in self.build:
                raise ValueError(
                    f"build has {key!r}, which is given to a build with --{key.replace('_', '-')}"
                )
        names = set(self.space.names)
        for dataset, source in self.sources.items():
            wrong = set(source.labels.values()) - names - {DROP}
            if wrong:
                raise ValueError(
                    f"labels of {dataset}: {sorted(wrong)}: not in the label space, nor {DROP!r}"
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
    """Say whether a name is that of a mix, or of a YAML file with one."""
    return name in mix_names() or is_file_name(name)


def load_mix(name: str) -> Mix:
    """Read a mix.

    Args:
        name: The name of one that ships with the package, or the path of a YAML file.

    Raises:
        UnknownNameError: There is no such mix.
        ManifestError: The file can't be read, or is no mix; says what is wrong with it.
    """
    return load_declared("mix", _FOLDER, name, Mix)


def require_sources(mix: Mix, given: Mapping[str, Any]) -> None:
    """Check that there is something for each source of a mix, and for nothing else.

    Raises:
        ManifestError: A source is missing, or one is given that the mix does not have.
    """
    missing = sorted(set(mix.sources) - set(given))
    extra = sorted(set(given) - set(mix.sources))
    if missing or extra:
        said = [f"nothing is given for {', '.join(missing)}"] if missing else []
        said += [f"{', '.join(extra)} is not part of it"] if extra else []
        raise ManifestError(
            f"mix {mix.name}: {'; '.join(said)}. Its sources: {', '.join(mix.sources)}."
        )
