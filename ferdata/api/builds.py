"""Builds: made, opened, looked at, read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferdata.api.paths import DataFolders, PathLike, as_folders, as_path
from ferdata.core import html
from ferdata.core.config import CONFIG_FILE, read_config, write_config
from ferdata.core.errors import OptionError
from ferdata.core.options import unknown_name
from ferdata.data import build as opened
from ferdata.shards.options import BuildOptions, Execution

if TYPE_CHECKING:
    import datasets
    from pydantic import BaseModel

    from ferdata.core.manifest import Manifest
    from ferdata.data import FerDataModule, ShardDataset, ShardLoader
    from ferdata.shards.pipeline import BuildReport
    from ferdata.shards.verify_report import VerifyReport

_SAMPLES = 8  # images that a notebook shows


class Build(opened.Build):
    """A finished build.

    Attributes:
        root: The build directory.
        record: What it holds: counts, options, versions, leaks, notes, the hash of every file.
    """

    @cached_property
    def manifest(self) -> Manifest:
        """One row per stored image: labels, splits, landmarks, hashes, augmentation."""
        from ferdata.core.manifest import Manifest  # noqa: PLC0415 - loads pyarrow

        return Manifest.load(self.root / "manifest.parquet")

    @cached_property
    def rejects(self) -> tuple[Any, ...]:
        """The rows that were rejected, each with its stage and reason."""
        from ferdata.core.rejects import load_rejects  # noqa: PLC0415 - loads pyarrow

        return load_rejects(self.root / "rejects.parquet")

    def summary(self) -> str:
        """Return a text with counts, properties, leaks, rejects and what to do next."""
        from ferdata.shards.summary import summary  # noqa: PLC0415 - keeps opening light

        return summary(self.record, self.root)

    def verify(self, *, quiet: bool = True) -> VerifyReport:
        """Check every file against its hash and every row against the manifest."""
        return verify(self, quiet=quiet)

    def dataset(self, split: str = "train", **options: Any) -> ShardDataset:
        """Return a split as a map-style torch dataset.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            **options: As for `ferdata.data.ShardDataset`.

        Raises:
            UnknownNameError: The build has no such split.
            MissingExtraError: torch is not installed.
        """
        from ferdata.data import ShardDataset  # noqa: PLC0415 - loads torch

        return ShardDataset(self, split, **options)

    def loader(self, split: str = "train", **options: Any) -> ShardLoader:
        """Return batches of a split, read straight from the shards; the fastest way.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            **options: As for `ferdata.data.ShardLoader`, for instance `batch_size=64`.

        Raises:
            UnknownNameError: The build has no such split.
            MissingExtraError: torch is not installed.
        """
        from ferdata.data import ShardLoader  # noqa: PLC0415 - loads torch

        return ShardLoader(self, split, **options)

    def datamodule(self, **options: Any) -> FerDataModule:
        """Return a Lightning data module.

        Args:
            **options: As for `ferdata.data.FerDataModule`, for instance `batch_size=64`.

        Raises:
            MissingExtraError: Lightning is not installed.
        """
        from ferdata.data import FerDataModule  # noqa: PLC0415 - loads torch and Lightning

        return FerDataModule(self, **options)

    def to_hf(self) -> datasets.DatasetDict:
        """Return the build as a Hugging Face `DatasetDict`.

        Raises:
            OptionError: The build was made without the format `hf`.
        """
        if "hf" not in self.record.options.formats:
            raise OptionError(
                f"{self.root}: built without the Hugging Face dataset; build again with "
                "--formats hdf5,hf"
            )
        import datasets  # noqa: PLC0415 - heavy

        loaded: datasets.DatasetDict = datasets.load_dataset(str(self.root / "hf"))
        return loaded

    def __repr__(self) -> str:
        splits = ", ".join(f"{name}: {split.rows:,}" for name, split in self.splits.items())
        image = "×".join(map(str, self.image.shape))
        leaks = ", LEAKS" if self.leaks else ""
        return (
            f"Build({self.name!r}, {splits}; {len(self.label_space)} classes, {image}{leaks}, "
            f"root={str(self.root)!r})"
        )

    def _repr_html_(self) -> str:
        splits = self.splits.items()
        rows: list[list[object]] = [
            [name, *(split.counts.get(name, 0) for _, split in splits)]
            for name in self.label_space.names
        ]
        rows.append(["all", *(split.rows for _, split in splits)])
        properties = {
            "folder": self.root,
            "images": f"{'×'.join(map(str, self.image.shape))}, {self.image.encoding}",
            "split": self.record.options.split,
            "landmarks": self.landmarks.scheme,
            "plan": self.plan_sha256[:12],
        }
        return "".join(
            [
                f"<h4>{escape(', '.join(self.record.datasets.values()) or self.name)}</h4>",
                html.warnings(f"This build leaks: {leak}" for leak in self.leaks),
                html.table(["class", *(name for name, _ in splits)], rows),
                html.definitions(properties),
                html.images(self._samples()),
            ]
        )

    def _samples(self) -> list[tuple[Any, str]]:
        """Return the first train image of each class with its label."""
        from ferdata.data.arrays import SplitArrays  # noqa: PLC0415 - loads numpy and h5py

        split = next(iter(self.splits))
        if "hdf5" not in self.record.options.formats:
            return []
        arrays = SplitArrays(self, split)
        labels = arrays.column("label")
        first = [int((labels == label).argmax()) for label in sorted(set(labels.tolist()))]
        batch = arrays.gather(first[:_SAMPLES], ("image", "label"))
        names = self.label_space.decode(batch["label"].tolist())
        return list(zip(batch["image"], names, strict=True))


def build(
    name: str | None = None,
    *,
    out: PathLike | None = None,
    data: DataFolders | None = None,
    demo: bool = False,
    demo_scale: float = 0.05,
    config: PathLike | None = None,
    **options: Any,
) -> Build:
    """Build a dataset or a mix: landmarks, splits, balanced classes, shards.

    A build that was interrupted is resumed by the same call. The result depends on the data, the
    options and the seed, never on the number of workers.

    Args:
        name: A dataset, for instance `"rafdb"`, a mix, for instance `"FER_CK+_KDEF"`, or the path
            of the YAML file of a mix or of a set of one's own.
        out: The build directory.
        data: The folder that holds the data; for a mix one folder, or a mapping of dataset names
            to folders.
        demo: Build from a synthetic copy, which is drawn into `out/demo`.
        demo_scale: Size of the synthetic copy, as a fraction of the real number of images.
        config: YAML file with arguments and options by name; those given here override it.
        **options: Options of `ferdata.shards.BuildOptions` and `ferdata.shards.Execution`, and
            choices of the dataset, for instance `size=96`, `augment="balance"`, `poses="half"`.

    Raises:
        FerdataError: A name or an option is wrong, the data are not as they should be, or `out`
            holds another build; the message says what to do.
    """
    arguments = {"name": name, "out": out, "data": data, "demo": demo, "demo_scale": demo_scale}
    return Build.open(run_build(arguments, options, config=config).out)


def run_build(
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    config: PathLike | None = None,
    spelled: Callable[[str], str] = str,
) -> BuildReport:
    """Carry out a call of `build`.

    Args:
        arguments: The arguments of `build` by name.
        options: Its options by name.
        config: A file with more of both.
        spelled: How an option is written where the call comes from, for messages.

    Raises:
        FerdataError: As for `build`.
    """
    request = _Request.read(arguments, options, config, spelled)
    from ferdata.shards.pipeline import build_shards, resolve_options  # noqa: PLC0415 - heavy
    from ferdata.shards.sources import find_source  # noqa: PLC0415

    source = find_source(request.name)
    resolve_options(source, request.options)  # what is wrong is said before faces are drawn
    data = request.data if request.data is not None else request.draw_demo(source.datasets)
    report = build_shards(request.name, data, request.out, request.options, request.execution)
    request.write_config(report)
    return report


class _Request:
    """A call of `build`, checked.

    Attributes:
        name: What to build.
        out: The build directory.
        data: Where the data are; None for a synthetic copy.
        demo_scale: Size of the synthetic copy.
        options: What decides the bytes.
        execution: What decides only how the build runs.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        options: BuildOptions,
        execution: Execution,
    ) -> None:
        name, out, data = arguments["name"], arguments["out"], arguments["data"]
        if not name:
            raise OptionError("name the dataset or mix to build; `ferdata datasets` lists them")
        if not out:
            raise OptionError("--out is missing: the folder to build into")
        if bool(arguments["demo"]) == (data is not None):
            raise OptionError(
                "give either --data DIR, the folder that holds the data, or --demo to build from "
                f"a synthetic copy. `ferdata datasets {name}` tells how to get the data"
            )
        self.name = str(name)
        self.out = as_path(out, "out")
        self.data = None if data is None else as_folders(data)
        self.demo_scale = float(arguments["demo_scale"])
        self.options = options
        self.execution = execution

    @classmethod
    def read(
        cls,
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        config: PathLike | None,
        spelled: Callable[[str], str],
    ) -> _Request:
        """Put a call together: what was given, over the file, over the defaults."""
        written = read_config(config) if config is not None else {}
        defaults = {"name": None, "out": None, "data": None, "demo": False, "demo_scale": 0.05}
        given = {key: each for key, each in arguments.items() if each != defaults[key]}
        merged = defaults | {k: v for k, v in written.items() if k in defaults} | given
        values = {key: each for key, each in written.items() if key not in defaults} | dict(options)
        values["choices"] = {**written.get("choices", {}), **options.get("choices", {})}
        own, execution = _sort(values)
        return cls(
            merged,
            BuildOptions.checked(own, kind="build option", spelled=spelled),
            Execution.checked(execution, kind="build option", spelled=spelled),
        )

    def draw_demo(self, datasets: tuple[str, ...]) -> dict[str, Path]:
        """Draw a synthetic copy of each dataset and return its folder."""
        from ferdata.ingesters.demo import write_demo  # noqa: PLC0415 - only the demo draws
        from ferdata.ingesters.lookup import dataset_names  # noqa: PLC0415 - reads YAML

        if own := sorted(set(datasets).difference(dataset_names())):
            raise OptionError(
                f"--demo: {', '.join(own)} is a set of one's own: no synthetic copy can be "
                "drawn; give --data DIR"
            )
        home = self.out / "demo"
        return {
            name: write_demo(
                name,
                home / name if len(datasets) > 1 else home,
                scale=self.demo_scale,
                workers=self.execution.workers,
                quiet=self.execution.quiet,
            ).root
            for name in datasets
        }

    def write_config(self, report: BuildReport) -> None:
        """Write the file that repeats the build beside its record."""
        values: dict[str, Any] = {"name": self.name}
        if self.data is None:
            values |= {"demo": True, "demo_scale": self.demo_scale}
        values |= report.record.options.model_dump(mode="json")
        values |= self._copied_files(report.out)
        title = f"ferdata build --config {CONFIG_FILE} --out DIR" + (
            "" if self.data is None else " --data DIR"
        )
        write_config(report.out / CONFIG_FILE, values, title=f"Repeats this build: {title}")

    def _copied_files(self, out: Path) -> dict[str, str]:
        """Copy the user's files that declare data and recipe; return the options that name them."""
        from ferdata.core.yaml_files import is_file_name  # noqa: PLC0415 - keeps start-up light
        from ferdata.ingesters.declared.declaration import (  # noqa: PLC0415
            is_declaration,
            load_declaration,
        )
        from ferdata.recipes import load_recipe  # noqa: PLC0415
        from ferdata.recipes.mix import load_mix  # noqa: PLC0415

        given: list[tuple[str, str, BaseModel]] = []
        if is_file_name(self.name):
            path = Path(self.name).expanduser()
            if is_declaration(path):
                given.append(("name", "declaration", load_declaration(path)))
            else:
                given.append(("name", "mix", load_mix(self.name)))
        if self.options.recipe and is_file_name(self.options.recipe):
            given.append(("recipe", "recipe", load_recipe(self.options.recipe)))
        for _, kind, content in given:
            values = content.model_dump(mode="json", exclude_unset=True)
            write_config(out / f"{kind}.yaml", values, title=f"The {kind} of this build.")
        return {option: f"{kind}.yaml" for option, kind, _ in given}


def _sort(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell build options, execution options and choices of datasets apart.

    Raises:
        OptionError: A name is none of them.
    """
    from ferdata.ingesters.lookup import dataset_info, dataset_names  # noqa: PLC0415 - reads YAML

    own: dict[str, Any] = {}
    execution: dict[str, Any] = {}
    choices = dict(values.get("choices") or {})
    for name, value in values.items():
        if name in BuildOptions.model_fields:
            own[name] = value
        elif name in Execution.model_fields:
            execution[name] = value
        else:
            offered = {each for known in dataset_names() for each in dataset_info(known).choices}
            if name not in offered:
                known = {**BuildOptions.model_fields, **Execution.model_fields}
                raise OptionError(
                    unknown_name("build option", name, {**known, **dict.fromkeys(offered)})
                )
            choices[name] = value
    own.pop("choices", None)
    return own | ({"choices": choices} if choices else {}), execution


def verify(build: PathLike | opened.Build, *, quiet: bool = False) -> VerifyReport:
    """Check every file of a build against its hash and every row against the manifest.

    Args:
        build: A build, open or by its directory.
        quiet: Show no progress.

    Returns:
        The report; `report.ok` says whether nothing differs.

    Raises:
        BuildError: The folder holds no finished build.
    """
    from ferdata.shards.verify import verify as verify_build  # noqa: PLC0415 - loads pyarrow

    root = build.root if isinstance(build, opened.Build) else as_path(build, "build")
    return verify_build(root, quiet=quiet)
