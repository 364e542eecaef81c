"""The source of a build: one dataset, or a mix of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.core.manifest import Manifest
from ferdata.core.options import flag
from ferdata.core.yaml_files import is_file_name, read_values
from ferdata.curation.merge import merge
from ferdata.ingesters import dataset_names
from ferdata.ingesters.code_orders import check_codes_option
from ferdata.ingesters.contract import Ingester
from ferdata.ingesters.declared.declaration import is_declaration, parse_declaration
from ferdata.ingesters.declared.finding import find_ingester
from ferdata.ingesters.declared.reader import DeclaredIngester
from ferdata.ingesters.lookup import declared_names
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.stage import ingest_with
from ferdata.recipes.mix import Mix, is_mix, load_mix, mix_names
from ferdata.shards.options import BuildOptions

Data = Path | Mapping[str, Path]
"""A folder that holds every dataset, or the folder of each by its name."""


class Source(Protocol):
    """A dataset or a mix."""

    @property
    def name(self) -> str:
        """The build's name."""
        ...

    @property
    def datasets(self) -> tuple[str, ...]:
        """Its datasets."""
        ...

    def complete(self, options: BuildOptions) -> BuildOptions:
        """Fill in options of this source that were not set explicitly."""
        ...

    def read(self, data: Data, options: BuildOptions) -> Manifest:
        """Read the labels and annotations of every dataset into one manifest."""
        ...


def find_source(name: str) -> Source:
    """Return the source of a name.

    Args:
        name: A dataset, a ready declaration, a mix, or the path of a YAML file with a mix or a set
            of one's own.

    Raises:
        UnknownNameError: There is no such dataset or mix.
        ManifestError: The file is not valid.
        OptionError: It is a folder.
    """
    known = [*dataset_names(), *declared_names()]
    if name in known:
        return DatasetSource(find_ingester(name))
    if is_file_name(name):
        return _declared_in(Path(name).expanduser())
    if is_mix(name):
        return MixSource(load_mix(name))
    if Path(name).expanduser().is_dir():
        raise OptionError(
            f"{name} is a folder; a build needs to know what it holds. "
            f"`ferdata detect '{name}'` recognizes the datasets in it; for a set of your own, "
            f"`ferdata detect '{name}' --write my.yaml` drafts a declaration, then: "
            f"ferdata build my.yaml --data '{name}' --out DIR"
        )
    raise UnknownNameError("dataset or mix", name, [*known, *mix_names()])


def _declared_in(path: Path) -> Source:
    """Return the set or the mix that a YAML file declares.

    Raises:
        ManifestError: The file can't be read, declares neither, or is not valid.
    """
    if is_declaration(path):
        return DatasetSource(find_ingester(str(path)))
    values = read_values(path)
    if not isinstance(values, dict) or "sources" not in values:
        raise ManifestError(
            f"{path}: declares neither a set of images (a key 'images' or 'table') nor a mix (a "
            "key 'sources')"
        )
    return MixSource(load_mix(str(path)))


@dataclass(frozen=True)
class DatasetSource:
    """A single dataset, or a set of one's own by its declaration."""

    reader: Ingester

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.reader.name

    @property
    def datasets(self) -> tuple[str, ...]:
        """The dataset itself."""
        return (self.name,)

    def complete(self, options: BuildOptions) -> BuildOptions:
        """Check the choices and return the options unchanged.

        Raises:
            OptionError: The dataset does not offer a choice that is given.
        """
        self.reader.info.choose(options.choices)
        if CODES_CHOICE in options.choices:
            check_codes_option(options.choices[CODES_CHOICE])
        return options

    def read(self, data: Data, options: BuildOptions) -> Manifest:
        """Read the dataset.

        Raises:
            OptionError: The dataset does not offer a choice that is given, or has no folder.
        """
        root = folders(data, self.datasets)[self.name]
        return ingest_with(self.reader, root, {"source": options.source, **options.choices})


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

    def _reader(self, name: str) -> Ingester:
        """Return the ingester of one dataset, which the mix may declare itself."""
        values = self.mix.sources[name].declaration
        if not isinstance(values, Mapping):
            return find_ingester(name)
        where = f"mix {self.name}: {name}"
        return DeclaredIngester(parse_declaration({**values, "name": name}, where))

    def complete(self, options: BuildOptions) -> BuildOptions:
        """Fill in the mix's build options and split rules unless others were given.

        Several datasets are aligned by default, since their faces differ in scale: a model could
        tell by it which dataset an image is from.

        Raises:
            OptionError: The mix sets an option that does not exist.
        """
        aligned = {"align": "five"} if len(self.datasets) > 1 else {}
        wanted: dict[str, Any] = {**aligned, **self.mix.build, "split": self.mix.split}
        return BuildOptions.checked(wanted | options.given(), kind="build option", spelled=flag)

    def read(self, data: Data, options: BuildOptions) -> Manifest:
        """Read every dataset, and merge them.

        A choice in the options applies to the datasets that offer it, and overrides the mix's.

        Raises:
            OptionError: No dataset offers a choice that is given, or a folder is missing.
        """
        if CODES_CHOICE in options.choices:
            raise OptionError(
                "--codes is for a single dataset; in a mix, write choices: {codes: …} at its source"
            )
        known = {choice for name in self.datasets for choice in self._reader(name).info.choices}
        if unknown := sorted(set(options.choices) - known):
            raise OptionError(
                f"--{unknown[0].replace('_', '-')}: no dataset of {self.name} offers this choice "
                f"(they offer: {', '.join(sorted(known)) or 'none'})"
            )
        roots = folders(data, self.datasets)
        return merge((self._read(name, roots[name], options) for name in self.datasets), self.mix)

    def _read(self, name: str, root: Path, options: BuildOptions) -> Manifest:
        reader = self._reader(name)
        offered = reader.info.choices
        own = {key: value for key, value in options.choices.items() if key in offered}
        return ingest_with(reader, root, {**self.mix.sources[name].choices, **own})


def folders(data: Data, datasets: tuple[str, ...]) -> dict[str, Path]:
    """Return the folder of each dataset.

    Raises:
        OptionError: A dataset has no folder, or a folder is given for a dataset that is not needed.
    """
    if not isinstance(data, Mapping):
        return dict.fromkeys(datasets, Path(data))
    missing = [name for name in datasets if name not in data]
    extra = [name for name in data if name not in datasets]
    if missing or extra:
        problems = [f"no --data for {', '.join(missing)}"] if missing else []
        problems += [f"--data for {', '.join(extra)}, which is not part of it"] if extra else []
        raise OptionError(
            f"{'; '.join(problems)}. Pass --data NAME=DIR for each of {', '.join(datasets)}, "
            "or one folder that contains them all."
        )
    return {name: Path(data[name]) for name in datasets}
