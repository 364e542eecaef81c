"""What a build is made from: one dataset, or a mix of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.options import flag
from ferdata.curation.merge import merge
from ferdata.ingesters import dataset_info, dataset_names, ingest
from ferdata.ingesters.code_orders import check_codes_option
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.recipes.mix import Mix, is_mix, load_mix, mix_names
from ferdata.shards.options import BuildOptions

Data = Path | Mapping[str, Path]
"""A folder that holds every dataset, or the folder of each by its name."""


class Source(Protocol):
    """What a name on the command line stands for."""

    @property
    def name(self) -> str:
        """The build's name."""
        ...

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that are needed."""
        ...

    def complete(self, options: BuildOptions) -> BuildOptions:
        """Fill in options that were not given with what this source wants."""
        ...

    def read(self, data: Data, options: BuildOptions) -> Manifest:
        """Read the labels and annotation of every dataset into one manifest."""
        ...


def find_source(name: str) -> Source:
    """Return what a name stands for.

    Args:
        name: A dataset, a mix, or the path of a YAML file with a mix.

    Raises:
        UnknownNameError: It is none of these.
        ManifestError: The mix is broken.
    """
    if name in dataset_names():
        return DatasetSource(name)
    if is_mix(name):
        return MixSource(load_mix(name))
    raise UnknownNameError("dataset or mix", name, [*dataset_names(), *mix_names()])


@dataclass(frozen=True)
class DatasetSource:
    """A single dataset."""

    name: str

    @property
    def datasets(self) -> tuple[str, ...]:
        """The dataset itself."""
        return (self.name,)

    def complete(self, options: BuildOptions) -> BuildOptions:
        """Check the choices; there is nothing to complete.

        Raises:
            OptionError: A choice is given that the dataset does not offer.
        """
        dataset_info(self.name).choose(options.choices)
        if CODES_CHOICE in options.choices:
            check_codes_option(options.choices[CODES_CHOICE])
        return options

    def read(self, data: Data, options: BuildOptions) -> Manifest:
        """Read the dataset.

        Raises:
            OptionError: A choice is given that the dataset does not leave, or no folder for it.
        """
        root = folders(data, self.datasets)[self.name]
        return ingest(self.name, root, source=options.source, **options.choices)


@dataclass(frozen=True)
class MixSource:
    """Several datasets, merged as their mix says."""

    mix: Mix

    @property
    def name(self) -> str:
        """The mix's name."""
        return self.mix.name

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets of the mix."""
        return tuple(self.mix.sources)

    def complete(self, options: BuildOptions) -> BuildOptions:
        """Fill in the mix's build options and split rules where no others were given.

        Raises:
            OptionError: The mix asks for options that there aren't.
        """
        wanted: dict[str, Any] = {**self.mix.build, "split": self.mix.split}
        return BuildOptions.checked(wanted | options.given(), kind="build option", spelled=flag)

    def read(self, data: Data, options: BuildOptions) -> Manifest:
        """Read every dataset, and merge them.

        A choice of the options goes to those datasets that leave it, before the mix's own.

        Raises:
            OptionError: A choice is given that none of the datasets leaves, or a folder is missing.
        """
        if CODES_CHOICE in options.choices:
            raise OptionError(
                "--codes is for a single dataset; in a mix, write choices: {codes: …} at its source"
            )
        known = {choice for name in self.datasets for choice in dataset_info(name).choices}
        if unknown := sorted(set(options.choices) - known):
            raise OptionError(
                f"--{unknown[0].replace('_', '-')}: no dataset of {self.name} leaves this choice "
                f"(they leave: {', '.join(sorted(known)) or 'none'})"
            )
        roots = folders(data, self.datasets)
        return merge((self._read(name, roots[name], options) for name in self.datasets), self.mix)

    def _read(self, name: str, root: Path, options: BuildOptions) -> Manifest:
        own = {
            key: value
            for key, value in options.choices.items()
            if key in dataset_info(name).choices
        }
        return ingest(name, root, **{**self.mix.sources[name].choices, **own})


def folders(data: Data, datasets: tuple[str, ...]) -> dict[str, Path]:
    """Return the folder of each dataset.

    Raises:
        OptionError: A dataset has no folder, or a folder is given for another one.
    """
    if not isinstance(data, Mapping):
        return dict.fromkeys(datasets, Path(data))
    missing = [name for name in datasets if name not in data]
    extra = [name for name in data if name not in datasets]
    if missing or extra:
        said = [f"no --data for {', '.join(missing)}"] if missing else []
        said += [f"--data for {', '.join(extra)}, which is not part of it"] if extra else []
        raise OptionError(
            f"{'; '.join(said)}. Give --data NAME=DIR for each of {', '.join(datasets)}, "
            "or one folder that holds them all."
        )
    return {name: Path(data[name]) for name in datasets}
